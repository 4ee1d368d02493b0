//! How a cluster came up: each service from when it was spawned until it was ready.

use super::markup::{Attributes, Markup};
use super::scale::Scale;
use crate::report::words;
use crate::results::{Span, StackTimes};

/// To be unfolded, if there is no reason to look at it at once.
pub(super) fn write(page: &mut Markup, stack: &StackTimes, is_open: bool) {
    let open: Attributes<'_> = &[("class", "cluster"), ("open", "")];
    page.element("details", &open[..1 + usize::from(is_open)], |page| {
        page.element("summary", &[], |page| {
            page.text("Its cluster ");
            page.line("code", &[], &stack.name);
            page.text(&format!(" took {} to come up", words::length(stack.up.length())));
            let down = stack.down.map(|down| words::length(down.length()));
            page.text(&down.map(|down| format!(", {down} to go down")).unwrap_or_default());
        });
        if !stack.services.is_empty() {
            table(page, stack);
        }
    });
}

fn table(page: &mut Markup, stack: &StackTimes) {
    let scale = Scale::of(stack.up);
    page.element("table", &[("class", "services")], |page| {
        page.html("<caption>From spawned to ready</caption>\n");
        page.html(
            "<thead><tr><th scope=\"col\">service</th><td></td><th scope=\"col\" \
             class=\"number\">spawned</th><th scope=\"col\" class=\"number\">ready \
             in</th></tr></thead>\n",
        );
        page.element("tbody", &[], |page| {
            for (name, span) in &stack.services {
                page.element("tr", &[], |page| row(page, scale, stack.up, name, *span));
            }
        });
    });
}

fn row(page: &mut Markup, scale: Scale, up: Span, name: &str, span: Span) {
    page.line("th", &[("scope", "row")], name);
    page.element("td", &[("class", "drawn")], |page| {
        page.element("div", &[("class", "track"), ("aria-hidden", "true")], |page| {
            page.line("span", &[("class", "bar up"), ("style", &scale.style(span))], "");
        });
    });
    let spawned = span.began.saturating_sub(up.began);
    page.line("td", &[("class", "number")], &words::length(spawned));
    page.line("td", &[("class", "number")], &words::length(span.length()));
}
