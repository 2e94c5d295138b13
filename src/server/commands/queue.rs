//! `unsplit queue`: what is due, in flight and failing, and the last events.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use unsplit_billing::clock::UnixMillis;
use unsplit_billing::ports::{Entry, EntryState};
use unsplit_billing::service::{Billing, ReceivedEvent};

use crate::server::config::Config;
use crate::server::run::{StartError, Tuning, build_billing, read_catalog};

/// Prints the first `most` customers of the queue and events of the list.
pub(super) async fn queue(config: Config, most: usize) -> Result<(), StartError> {
    let tuning = Tuning::default();
    // Stripe is not asked: an outage, or a key that is refused, is when somebody looks here.
    let (billing, _) = build_billing(&config, read_catalog()?, &tuning).await?;
    let text = report(&billing, most, tuning.clock.now()).await.map_err(StartError::new)?;
    #[expect(clippy::print_stdout, reason = "the command's output")]
    {
        print!("{text}");
    }
    Ok(())
}

async fn report(
    billing: &Billing,
    most: usize,
    now: UnixMillis,
) -> Result<String, unsplit_billing::error::StoreError> {
    let stats = billing.queue_stats().await?;
    let mut lines = vec![format!(
        "{} due, {} in flight, {} failing, {} scheduled",
        stats.due, stats.in_flight, stats.failing, stats.scheduled
    )];
    if let Some(oldest) = stats.oldest_due {
        lines.push(format!("the longest waiting has been due for {}", length(now.0 - oldest.0)));
    }
    for limit in billing.stripe_limits().await? {
        let paused = limit.paused_until.filter(|until| *until > now.0);
        let paused = paused.map_or(String::new(), |until| format!(", paused for {}", length(until - now.0)));
        lines.push(format!(
            "Stripe {}: {:.1} of {:.0} calls a second{paused}",
            limit.name, limit.current_rate, limit.rate
        ));
    }
    lines.push(String::new());
    lines.extend(billing.queue_entries(most).await?.iter().map(|entry| customer(entry, now)));
    lines.push("\nlast events".to_owned());
    lines.extend(billing.received_events(most).await?.iter().map(event));
    Ok(lines.join("\n") + "\n")
}

fn customer(entry: &Entry, now: UnixMillis) -> String {
    let away = entry.at.0 - now.0;
    let when = match entry.state {
        EntryState::InFlight => format!("in flight, lease for {}", length(away)),
        EntryState::Due => format!("due for {}", length(-away)),
        EntryState::Scheduled if entry.attempts > 0 => format!("next try in {}", length(away)),
        EntryState::Scheduled => format!("due in {}", length(away)),
    };
    let failed = match &entry.last_error {
        Some(error) if entry.attempts == 0 => format!("  {error}"),
        Some(error) => format!("  {} failed, last: {error}", tries(entry.attempts)),
        None if entry.attempts > 0 => format!("  {} failed", tries(entry.attempts)),
        None => String::new(),
    };
    format!("{:<28} {when}{failed}", entry.customer.as_str())
}

fn tries(attempts: u32) -> String {
    if attempts == 1 { "1 try".to_owned() } else { format!("{attempts} tries") }
}

fn event(event: &ReceivedEvent) -> String {
    let received = &event.received;
    let at = OffsetDateTime::from_unix_timestamp(received.at.div_euclid(1000)).ok();
    let at = at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_else(|| received.at.to_string());
    let customer = received.customer.as_ref().map_or("-", |customer| customer.as_str());
    let stored = if event.stored_since { ", stored since" } else { "" };
    format!("{at}  {:<44} {customer:<24} {}{stored}", received.kind, received.outcome)
}

/// Milliseconds as a person says them.
fn length(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}
