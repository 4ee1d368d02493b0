//! What a person sees of a stack: a line for each service.

use anstyle::{AnsiColor, Style};

use crate::lifecycle::Cluster;
use crate::lifecycle::health::Health;
use crate::stack::state::Service;

/// A line for each service, below a line that says what is in it.
pub(crate) fn table(cluster: &Cluster<'_>, healths: &[Health], coloured: bool) -> String {
    let head = line(["SERVICE", "HEALTH", "PID", "PORT", "PROVIDER"], Style::new());
    let services = cluster.state.services.iter().zip(healths);
    let lines = services.map(|(service, health)| {
        let (word, style) = shown(*health);
        let pid =
            service.main_process().map_or_else(String::new, |process| process.pid.to_string());
        let ports = ports(cluster, service).join(" ");
        let columns = [&service.name, word, &pid, &ports, &service.provider.to_string()];
        line(columns, if coloured { style } else { Style::new() })
    });
    std::iter::once(head).chain(lines).collect()
}

fn shown(health: Health) -> (&'static str, Style) {
    let (word, colour) = match health {
        Health::Ready => ("ready", AnsiColor::Green),
        Health::Hanging => ("hanging", AnsiColor::Yellow),
        Health::Ended => ("ended", AnsiColor::Red),
    };
    (word, colour.on_default())
}

/// The style is that of the health, and takes no room.
fn line([service, health, pid, ports, provider]: [&str; 5], style: Style) -> String {
    format!("{service:<14} {style}{health:<8}{style:#} {pid:>8}  {ports:<24} {provider}\n")
}

fn ports(cluster: &Cluster<'_>, service: &Service) -> Vec<String> {
    let names = cluster.port_names(service);
    let numbers = names.iter().filter_map(|name| cluster.state.ports.get(name));
    numbers.map(u16::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_do_not_move_the_columns() {
        for health in [Health::Ready, Health::Hanging, Health::Ended] {
            let (word, style) = shown(health);
            let columns = ["keep0", word, "4711", "40999", "embedded"];
            let coloured = line(columns, style);
            let (on, off) = (style.render().to_string(), style.render_reset().to_string());
            assert!(coloured.contains(&format!("{on}{word}")), "{coloured:?}");
            assert_eq!(coloured.replace(&on, "").replace(&off, ""), line(columns, Style::new()));
        }
    }
}
