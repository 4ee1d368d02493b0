//! stub
pub(crate) fn run(_: &crate::workspace::Workspace, _: &crate::cli::Bench) -> anyhow::Result<()> {
    Ok(())
}
