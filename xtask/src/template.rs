//! Texts with gaps: `{{name}}` is replaced by a value. nginx.conf has them, and what services.yml
//! says of a service.

use crate::nearest;

/// `text` with a value in each gap. Braces of shells and of awk are left alone: a gap has two.
///
/// # Errors
/// Names a gap for which there is no value, with the nearest one that there is.
pub(crate) fn fill(text: &str, values: &[(String, String)]) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else {
            return Err(format!("{{{{ without }}}} in {text:?}"));
        };
        let name = name.trim();
        let Some((_, value)) = values.iter().find(|(known, _)| known == name) else {
            let known = values.iter().map(|(known, _)| known.as_str());
            return Err(format!("unknown {{{{{name}}}}}{}", nearest::hint(name, known)));
        };
        filled.push_str(before);
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill_ports(text: &str) -> Result<String, String> {
        fill(text, &[("port".into(), "80".into()), ("folder".into(), "/a b".into())])
    }

    #[test]
    fn gaps_are_filled_and_single_braces_stay() {
        let text = "--port={{port}} --dir={{ folder }}/${HOME}";
        assert_eq!(fill_ports(text).unwrap(), "--port=80 --dir=/a b/${HOME}");
        assert_eq!(fill_ports("").unwrap(), "");
    }

    #[test]
    fn an_unknown_or_open_gap_is_refused() {
        let unknown = fill_ports("{{prot}}").unwrap_err();
        assert_eq!(unknown, "unknown {{prot}}; did you mean port?");
        assert_eq!(fill_ports("{{port").unwrap_err(), "{{ without }} in \"{{port\"");
    }
}
