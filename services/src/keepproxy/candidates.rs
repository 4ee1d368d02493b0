//! Which keepstore to ask next: each once in the order of the block, and in two further rounds those that
//! may do better now.

use std::collections::VecDeque;
use std::sync::Arc;

use super::keep_services::KeepService;
use super::upstream::Failure;

/// How often one keepstore is asked for one request of a client, as Keep clients do by themselves.
const ROUNDS: usize = 3;

/// The keepstores that are asked for one request.
pub(super) struct Candidates {
    /// Those still to be asked in this round.
    waiting: VecDeque<Arc<KeepService>>,
    /// Those that have answered, or did not, and how they failed.
    asked: Vec<(Arc<KeepService>, Option<Failure>)>,
    /// How many rounds may follow.
    further: usize,
}

impl Candidates {
    /// The first round is over all of `services`, in this order.
    pub(super) fn new(services: impl IntoIterator<Item = Arc<KeepService>>) -> Self {
        let waiting = services.into_iter().collect();
        Self { waiting, asked: Vec::new(), further: ROUNDS - 1 }
    }

    /// The next of this round.
    pub(super) fn next(&mut self) -> Option<Arc<KeepService>> {
        self.waiting.pop_front()
    }

    /// Takes down how `service` did.
    pub(super) fn has_answered(&mut self, service: Arc<KeepService>, failure: Option<Failure>) {
        self.asked.push((service, failure));
    }

    /// Whether the list of keepstores is to be looked at again: who does not answer may have been replaced.
    pub(super) fn may_be_replaced(&self) -> bool {
        self.failed_so(Failure::Unreachable) || self.failed_so(Failure::Silent)
    }

    /// Begins another round, over those of `listed`, in this order, that were not asked yet or may do
    /// better. Whoever is not listed any more is forgotten. False if there is nobody to ask again.
    pub(super) fn begin_round(
        &mut self,
        listed: impl IntoIterator<Item = Arc<KeepService>>,
    ) -> bool {
        let Some(further) = self.further.checked_sub(1) else { return false };
        self.further = further;
        let before = std::mem::take(&mut self.asked);
        for service in listed {
            match before.iter().find(|(asked, _)| *asked == service) {
                None | Some((_, Some(Failure::Unreachable))) => self.waiting.push_back(service),
                Some(asked) => self.asked.push(asked.clone()),
            }
        }
        !self.waiting.is_empty()
    }

    /// Whether any failed so when it was last asked.
    pub(super) fn failed_so(&self, how: Failure) -> bool {
        self.asked.iter().any(|(_, failure)| *failure == Some(how))
    }
}

#[cfg(test)]
mod tests {
    use super::Failure::{NotFound, Refused, Silent, Unreachable};
    use super::*;
    use crate::keepproxy::keep_services::tests::services;

    /// Asks all of a round, which do as told for their numbers, and returns the numbers.
    fn ask(candidates: &mut Candidates, how: &[Option<Failure>]) -> Vec<usize> {
        let next = || candidates.next();
        let round: Vec<_> = std::iter::from_fn(next).collect();
        let number =
            |service: &KeepService| usize::from_str_radix(&service.uuid[12..], 16).unwrap();
        let numbers = round.iter().map(|service| number(service)).collect();
        for service in round {
            let failure = how[number(&service)];
            candidates.has_answered(service, failure);
        }
        numbers
    }

    #[test]
    fn who_may_do_better_is_asked_three_times_and_all_others_once() {
        let how = [Some(NotFound), Some(Unreachable), Some(Refused), Some(Silent), None];
        let mut candidates = Candidates::new(services(5));
        assert_eq!(ask(&mut candidates, &how), [0, 1, 2, 3, 4]);
        for _ in 0..2 {
            assert!(candidates.may_be_replaced());
            assert!(candidates.begin_round(services(5)));
            assert_eq!(ask(&mut candidates, &how), [1]);
        }
        assert!(!candidates.begin_round(services(5)));
        assert!(
            [NotFound, Unreachable, Refused, Silent].iter().all(|it| candidates.failed_so(*it))
        );
    }

    #[test]
    fn who_has_been_replaced_is_forgotten() {
        let mut candidates = Candidates::new(services(2));
        assert_eq!(ask(&mut candidates, &[Some(Unreachable), Some(Silent)]), [0, 1]);
        assert!(candidates.begin_round(services(4).into_iter().skip(2)));
        assert_eq!(ask(&mut candidates, &[None, None, Some(NotFound), None]), [2, 3]);
        assert!(!candidates.may_be_replaced());
    }

    #[test]
    fn who_is_silent_may_be_replaced_but_is_not_asked_again() {
        let mut candidates = Candidates::new(services(1));
        ask(&mut candidates, &[Some(Silent)]);
        assert!(candidates.may_be_replaced());
        assert!(!candidates.begin_round(services(1)));
        assert!(candidates.failed_so(Silent));
    }
}
