//! Logs on stderr, for `-v`. Never a substitute for a message, and never with a secret in it.

use tracing_subscriber::EnvFilter;

use crate::printer::Printer;

/// What is logged at each number of `-v`.
///
/// The SDKs are never logged below `info`: their finer levels print requests with their headers,
/// and so credentials.
fn filter(verbose: u8) -> Option<&'static str> {
    const DETAILS: &str = "info,mq_core=trace,mq_config=trace,mq_aws=trace,mq_azure=trace,mq_gcp=trace,\
         mq_engine=trace,mq_emulator=trace,mq_suite=trace,mq_cli=trace";
    match verbose {
        0 => None,
        1 => Some(
            "warn,mq_core=debug,mq_config=debug,mq_aws=debug,mq_azure=debug,mq_gcp=debug,\
             mq_engine=debug,mq_emulator=debug,mq_suite=debug,mq_cli=debug",
        ),
        2.. => Some(DETAILS),
    }
}

/// Begins to log. A second call in one process changes nothing.
pub(crate) fn start(verbose: u8, printer: &Printer) {
    let Some(filter) = filter(verbose) else {
        return;
    };
    let writer = printer.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_ansi(false)
        .with_target(true)
        .without_time()
        .with_writer(move || writer.log_writer())
        .finish();
    // Only a test that runs several commands in one process gets here twice.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
