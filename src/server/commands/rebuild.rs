//! `unsplit rebuild`: all of Redis' Stripe state, made again from Stripe alone.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use unsplit_billing::error::Error;
use unsplit_billing::ports::{RebuildProgress, RebuildStep};
use unsplit_billing::service::{Conflict, Rebuilt};

use crate::server::config::Config;
use crate::server::run::{StartError, Tuning, open_billing, read_catalog};

/// Rebuilds with a progress bar, and prints the counts.
pub(super) async fn rebuild(config: Config) -> Result<(), StartError> {
    let (billing, _) = open_billing(&config, read_catalog()?, &Tuning::default()).await?;
    let bar = Bar::new();
    let again = "nothing is lost: run `unsplit rebuild` again, and it goes on where it stopped";
    let rebuilt = billing.rebuild(&|progress| bar.show(progress)).await;
    bar.bar.finish_and_clear();
    let rebuilt = rebuilt.map_err(|error| match error {
        // It says itself what to do, and there is nothing to go on with.
        Error::StoreForgets => StartError::new(error.to_string()),
        error => StartError::new(format!("{error}; {again}")),
    })?;
    #[expect(clippy::print_stdout, reason = "the command's output")]
    {
        print!("{}", report(&rebuilt));
    }
    Ok(())
}

struct Bar {
    bar: ProgressBar,
    step: Mutex<&'static str>,
}

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::no_length();
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, step: Mutex::new("") }
    }

    /// Stripe's lists have no total, so how many customers there are is known once all are listed;
    /// until then there is a rate and no end. Their subscriptions are taken to be about as many.
    fn show(&self, progress: &RebuildProgress) {
        let counts = &progress.counts;
        let (step, done, all) = match progress.step {
            RebuildStep::Customers { .. } => ("listing customers", counts.customers, None),
            RebuildStep::Subscriptions { .. } => {
                let about = counts.customers.max(counts.subscriptions);
                ("listing subscriptions", counts.subscriptions, Some(about))
            }
            RebuildStep::Values { page } => ("writing values", page * 100, Some(counts.customers)),
            RebuildStep::Strangers => ("marking the unlisted", counts.strangers, None),
            RebuildStep::Bindings { page } => ("binding users", page * 100, Some(counts.customers)),
            RebuildStep::Cleanup { page } => ("tidying up", page * 100, Some(counts.customers)),
        };
        self.begin(step, all.is_some());
        if let Some(all) = all {
            self.bar.set_length(all);
        }
        self.bar.set_position(done);
    }

    fn begin(&self, step: &'static str, has_end: bool) {
        let mut current = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        if *current == step {
            return;
        }
        *current = step;
        let template = if has_end {
            "{msg:<22} {wide_bar} {pos}/{len}  {per_sec}  {eta} left"
        } else {
            "{spinner} {msg:<20} {pos}  {per_sec}  {elapsed}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.reset();
        self.bar.set_message(step);
    }
}

fn report(rebuilt: &Rebuilt) -> String {
    let counts = &rebuilt.counts;
    let mut text = format!(
        "{} customers and {} subscriptions seen in {} calls to Stripe\n\
         {} values changed, {} unchanged, {} left to a worker (of these {} deleted at Stripe or made since), \
         {} subscriptions failed to be read\n\
         {} users bound\n",
        counts.customers,
        counts.subscriptions,
        counts.calls,
        counts.changed,
        counts.unchanged,
        counts.marked,
        counts.strangers,
        counts.failed,
        counts.bound
    );
    if !rebuilt.conflicts.is_empty() {
        text.push_str("\nUsers with several customers, best access first; nothing was merged:\n");
        text.extend(rebuilt.conflicts.iter().map(conflict));
    }
    text
}

fn conflict(conflict: &Conflict) -> String {
    let mut text = format!("{}\n", conflict.user);
    for (customer, stored) in &conflict.customers {
        let shown = stored.as_ref().and_then(|stored| stored.subscription.as_ref());
        let plan = shown.and_then(|it| it.plan.as_ref()).map_or("no plan", |plan| plan.as_str());
        let status = shown.map_or_else(|| "none".to_owned(), |it| format!("{:?}", it.status).to_lowercase());
        let bound = if *customer == conflict.bound { "  <- bound" } else { "" };
        let _ = writeln!(text, "  {customer}  {status}, {plan}{bound}");
    }
    if conflict.customers.iter().all(|(customer, _)| *customer != conflict.bound) {
        let _ = writeln!(text, "  {}  <- bound, and not listed by Stripe with this user", conflict.bound);
    }
    text
}
