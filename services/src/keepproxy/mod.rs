//! stub
pub(crate) fn run(_: Vec<String>) -> anyhow::Result<()> {
    anyhow::bail!("not yet")
}
