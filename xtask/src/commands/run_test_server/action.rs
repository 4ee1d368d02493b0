//! The actions, by the names that the script has for them.

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Start,
    Stop,
    StartKeep,
    StopKeep,
    StartKeepProxy,
    StopKeepProxy,
    StartArvGitHttpd,
    StopArvGitHttpd,
    StartNginx,
    StopNginx,
    /// Only the script of today has it.
    DatabaseReset,
}

const ACTIONS: [(&str, Action); 11] = [
    ("start", Action::Start),
    ("stop", Action::Stop),
    ("start_keep", Action::StartKeep),
    ("stop_keep", Action::StopKeep),
    ("start_keep_proxy", Action::StartKeepProxy),
    ("stop_keep_proxy", Action::StopKeepProxy),
    ("start_arv-git-httpd", Action::StartArvGitHttpd),
    ("stop_arv-git-httpd", Action::StopArvGitHttpd),
    ("start_nginx", Action::StartNginx),
    ("stop_nginx", Action::StopNginx),
    ("database_reset", Action::DatabaseReset),
];

impl Action {
    pub(super) fn named(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|(known, _)| *known == name).map(|(_, action)| *action)
    }

    pub(super) fn name(self) -> &'static str {
        ACTIONS.iter().find(|(_, action)| *action == self).map_or("", |(name, _)| name)
    }

    /// Whether there is nothing to do where a parent has proxies.
    pub(super) fn is_of_proxies(self) -> bool {
        match self {
            Self::StartKeepProxy
            | Self::StopKeepProxy
            | Self::StartArvGitHttpd
            | Self::StopArvGitHttpd
            | Self::StartNginx
            | Self::StopNginx => true,
            Self::Start | Self::Stop | Self::StartKeep | Self::StopKeep | Self::DatabaseReset => {
                false
            }
        }
    }
}

/// What the script says of another name, word for word.
pub(super) fn unrecognized(name: &str) -> String {
    let known: Vec<String> = ACTIONS.iter().map(|(name, _)| format!("'{name}'")).collect();
    format!("Unrecognized action '{name}'. Actions are: [{}].", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_found_by_its_name() {
        for (name, action) in ACTIONS {
            assert_eq!(Action::named(name), Some(action));
            assert_eq!(action.name(), name);
        }
        assert_eq!(Action::named("start_nothing"), None);
    }

    #[test]
    fn an_unknown_action_is_told_in_the_words_of_the_script() {
        let said = unrecognized("launch");
        assert!(said.starts_with("Unrecognized action 'launch'. Actions are: ['start', 'stop', "));
        assert!(said.ends_with("'stop_nginx', 'database_reset']."), "{said}");
    }
}
