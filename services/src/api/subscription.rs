//! What a client says on a websocket, and what it has subscribed to. Pure.

use serde_json::{Map, Value, json};

use super::condition::Condition;
use super::error::ApiError;
use super::filter;
use super::resources::LOGS;
use super::time;
use crate::era::Era;
use crate::era::api::{
    ENDS_EQUAL_SUBSCRIPTIONS, LAST_ID_ZERO_IS_NONE, MALFORMED_MESSAGE, MAX_SUBSCRIPTIONS,
    NOT_SUBSCRIBED, REPEATS_SUBSCRIPTION, SUBSCRIBED, SUBSCRIPTIONS_TAKE_ALL_FILTERS,
    TOO_MANY_SUBSCRIPTIONS, UNKNOWN_MESSAGE, UNSUBSCRIBED,
};
use crate::go_http_error::StatusAndText;

/// The events that a client wants, of one subscription or of all.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions(Vec<Subscription>);

#[derive(Debug)]
struct Subscription {
    /// As the client gave them: by these it ends the subscription.
    filters: Value,
    condition: Condition,
}

/// What follows from a message.
#[derive(Debug)]
pub(crate) struct Reaction {
    /// The message back.
    pub(crate) answer: Value,
    /// From which entry of the log on the client wants to see what is there already, and of that
    /// what.
    pub(crate) replay: Option<(i64, Condition)>,
}

impl Subscriptions {
    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries of the log that at least one of them is for.
    pub(crate) fn condition(&self) -> Condition {
        Condition::any(self.0.iter().map(|subscription| subscription.condition.clone()))
    }

    /// Does what the client says in `message`.
    pub(crate) fn receive(&mut self, era: Era, message: &[u8]) -> Reaction {
        let Ok(Value::Object(message)) = serde_json::from_slice(message) else {
            return Reaction::only(status(MALFORMED_MESSAGE.of(era)));
        };
        match message.get("method").and_then(Value::as_str) {
            Some("subscribe") => self.subscribe(era, message),
            Some("unsubscribe") => Reaction::only(self.unsubscribe(era, &message)),
            _ => Reaction::only(status(UNKNOWN_MESSAGE.of(era))),
        }
    }

    fn subscribe(&mut self, era: Era, message: Map<String, Value>) -> Reaction {
        let Ok(last_id) = last_id(era, &message) else {
            return Reaction::only(status(MALFORMED_MESSAGE.of(era)));
        };
        let filters = filters(&message);
        if !filters.is_array() {
            return Reaction::only(status(MALFORMED_MESSAGE.of(era)));
        }
        if self.0.len() >= MAX_SUBSCRIPTIONS.of(era) {
            return Reaction::only(status(TOO_MANY_SUBSCRIPTIONS.of(era)));
        }
        let condition = match compile(era, &filters) {
            Ok(condition) => condition,
            // The server of 2015 sees it only with the first event, and then closes the socket.
            Err(error) => {
                return Reaction::only(json!({"status": 400, "message": error.to_string()}));
            }
        };
        self.0.push(Subscription { filters, condition: condition.clone() });
        let mut answer = status(SUBSCRIBED.of(era));
        if REPEATS_SUBSCRIPTION.of(era) {
            answer["filter"] = Value::Object(message);
        }
        Reaction { answer, replay: last_id.map(|last_id| (last_id, condition)) }
    }

    fn unsubscribe(&mut self, era: Era, message: &Map<String, Value>) -> Value {
        let filters = filters(message);
        let mut ended = 0;
        self.0.retain(|subscription| {
            let ends =
                subscription.filters == filters && (ended == 0 || ENDS_EQUAL_SUBSCRIPTIONS.of(era));
            ended += usize::from(ends);
            !ends
        });
        match ended {
            0 => status(NOT_SUBSCRIBED.of(era)),
            _ => status(UNSUBSCRIBED.of(era)),
        }
    }
}

impl Reaction {
    fn only(answer: Value) -> Self {
        Self { answer, replay: None }
    }
}

/// A row of the era's table as a message.
pub(crate) fn status((status, text): StatusAndText) -> Value {
    match text {
        "" => json!({"status": status}),
        text => json!({"status": status, "message": text}),
    }
}

/// Absent filters are none.
fn filters(message: &Map<String, Value>) -> Value {
    message.get("filters").filter(|given| !given.is_null()).cloned().unwrap_or_else(|| json!([]))
}

fn last_id(era: Era, message: &Map<String, Value>) -> Result<Option<i64>, ()> {
    let id = match message.get("last_log_id") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    let id = id.ok_or(())?;
    Ok(Some(id).filter(|id| *id != 0 || !LAST_ID_ZERO_IS_NONE.of(era)))
}

fn compile(era: Era, filters: &Value) -> Result<Condition, ApiError> {
    if SUBSCRIPTIONS_TAKE_ALL_FILTERS.of(era) {
        return filter::compile(&LOGS, era, filters);
    }
    let heeded: Vec<_> =
        filters.as_array().into_iter().flatten().filter(|one| is_heeded(one)).collect();
    filter::compile(&LOGS, era, &json!(heeded))
}

/// Whether a filter is one of those that websockets of today know.
fn is_heeded(filter: &Value) -> bool {
    let Some([attribute, operator, operand]) = filter.as_array().map(Vec::as_slice) else {
        return false;
    };
    match (attribute.as_str(), operator.as_str(), operand) {
        (Some("event_type"), Some("in"), Value::Array(types)) => types.iter().all(Value::is_string),
        (Some("created_at"), Some("=" | "<" | "<=" | ">" | ">="), Value::String(moment)) => {
            time::parse(moment).is_some()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(subscriptions: &mut Subscriptions, era: Era, message: &Value) -> Value {
        subscriptions.receive(era, message.to_string().as_bytes()).answer
    }

    fn replay(era: Era, last_log_id: &Value) -> Option<i64> {
        let message = json!({"method": "subscribe", "last_log_id": last_log_id});
        let reaction = Subscriptions::default().receive(era, message.to_string().as_bytes());
        reaction.replay.map(|(last_id, _)| last_id)
    }

    #[test]
    fn a_subscription_is_confirmed_and_ends_by_its_filters() {
        let filters = json!([["event_type", "=", "create"]]);
        let subscribe = json!({"method": "subscribe", "filters": filters});
        let unsubscribe = json!({"method": "unsubscribe", "filters": filters});
        let mut of_2015 = Subscriptions::default();
        assert_eq!(
            receive(&mut of_2015, Era::Y2015, &subscribe),
            json!({"status": 200, "message": "subscribe ok", "filter": subscribe})
        );
        let mut today = Subscriptions::default();
        assert_eq!(receive(&mut today, Era::Current, &subscribe), json!({"status": 200}));
        let other = json!({"method": "unsubscribe"});
        assert_eq!(receive(&mut of_2015, Era::Y2015, &other)["status"], 404);
        assert_eq!(receive(&mut today, Era::Current, &other), json!({"status": 400}));
        assert!(!of_2015.is_empty());
        assert_eq!(receive(&mut of_2015, Era::Y2015, &unsubscribe)["message"], "unsubscribe ok");
        assert_eq!(receive(&mut today, Era::Current, &unsubscribe), json!({"status": 200}));
        assert!(of_2015.is_empty() && today.is_empty());
    }

    #[test]
    fn equal_subscriptions_end_together_only_in_2015() {
        for (era, second) in [(Era::Y2015, 404), (Era::Current, 200)] {
            let mut twice = Subscriptions::default();
            for _ in 0..2 {
                receive(&mut twice, era, &json!({"method": "subscribe", "filters": []}));
            }
            // No filters, and none given, are the same.
            let unsubscribe = json!({"method": "unsubscribe"});
            assert_eq!(receive(&mut twice, era, &unsubscribe)["status"], 200);
            assert_eq!(receive(&mut twice, era, &unsubscribe)["status"], second);
        }
    }

    #[test]
    fn the_seventeenth_subscription_is_refused_in_2015() {
        for (era, last) in [(Era::Y2015, 403), (Era::Current, 200)] {
            let mut many = Subscriptions::default();
            let subscribe = json!({"method": "subscribe", "filters": []});
            for _ in 0..16 {
                assert_eq!(receive(&mut many, era, &subscribe)["status"], 200);
            }
            assert_eq!(receive(&mut many, era, &subscribe)["status"], last);
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for era in Era::ALL {
            let mut none = Subscriptions::default();
            for wrong in [&b""[..], b"{", b"[]", b"null", b"\xff", br#""subscribe""#, b"{}"] {
                assert_eq!(none.receive(era, wrong).answer["status"], 400);
            }
            for wrong in [
                json!({"method": "shout"}),
                json!({"method": "subscribe", "filters": "all"}),
                json!({"method": "subscribe", "last_log_id": "first"}),
                json!({"method": "subscribe", "last_log_id": []}),
            ] {
                assert_eq!(receive(&mut none, era, &wrong)["status"], 400, "{wrong}");
            }
            assert!(none.is_empty());
        }
    }

    #[test]
    fn wrong_filters_are_refused_in_2015_and_ignored_today() {
        let wrong = json!({"method": "subscribe", "filters": [["colour", "=", "red"]]});
        let mut none = Subscriptions::default();
        let answer = receive(&mut none, Era::Y2015, &wrong);
        assert_eq!(answer["status"], 400);
        assert!(answer["message"].as_str().unwrap().contains("colour"));
        assert!(none.is_empty());
        assert_eq!(receive(&mut none, Era::Current, &wrong)["status"], 200);
    }

    #[test]
    fn filters_of_today_are_types_and_times() {
        let sql = |filter: Value| compile(Era::Current, &json!([filter])).unwrap().sql;
        assert!(sql(json!(["event_type", "in", ["create"]])).contains("event_type"));
        assert!(sql(json!(["created_at", ">=", "2020-01-01T00:00:00Z"])).contains("created_at"));
        for ignored in [
            json!(["event_type", "=", "create"]),
            json!(["event_type", "in", [1]]),
            json!(["created_at", ">=", "soon"]),
            json!(["created_at", "!=", "2020-01-01T00:00:00Z"]),
            json!(["object_uuid", "is_a", "arvados#user"]),
            json!("event_type"),
        ] {
            assert_eq!(sql(ignored.clone()), "TRUE", "{ignored}");
        }
    }

    #[test]
    fn a_replay_begins_behind_the_last_id() {
        for era in Era::ALL {
            assert_eq!(replay(era, &json!(7)), Some(7));
            assert_eq!(replay(era, &json!("7")), Some(7));
            assert_eq!(replay(era, &json!(null)), None);
        }
        assert_eq!(replay(Era::Y2015, &json!(0)), Some(0));
        assert_eq!(replay(Era::Current, &json!(0)), None);
    }
}
