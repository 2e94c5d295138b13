//! The page of controls: the clock, how deliveries go, faults, and starting afresh. Forms only; `act` reads them.

use axum::extract::{Query, State as Shared};
use axum::response::Response;
use maud::{Markup, html};

use super::frame::{At, Notice, Part, live, page};
use super::{faults, renewals};
use crate::server::App;
use crate::state::machine_now;
use crate::webhooks::Mode;

const HERE: &str = "/_emulator/panel";

pub async fn show(Shared(app): Shared<App>, Query(notice): Query<Notice>) -> Response {
    let at = app.state.read(|store| store.clock.now());
    let body = html! {
        (live("now", &now(&app)))
        section { h2 { "Clock" } (steps(HERE)) (to(at)) (live("speed", &speeds(&app))) }
        section { h2 { "Renewals" } (renewals::form(&app, None, HERE)) }
        section { h2 { "Deliveries" } (live("mode", &mode(&app))) }
        section { h2 { "Faults" } (live("faults", &faults::waiting(&app))) (faults::order()) }
        section {
            h2 { "Start afresh" }
            p { "Forgets everything but the account. You are asked once more." }
            p { a.button href="/_emulator/panel/reset" { "Reset …" } }
        }
    };
    page("Controls", Part::Controls, notice.done, &body)
}

/// The clock, the way of deliveries and the faults in one line each.
pub fn now(app: &App) -> Markup {
    let (clock, mode) = app.state.read(|store| (store.clock, store.settings.mode));
    let (now, speed) = (clock.now(), clock.speed());
    let lead = now - machine_now();
    let waiting = app.faults.all().len();
    html! {
        dl {
            div {
                dt { "Clock" }
                dd { (At(now)) " UTC" span.soft {
                        @if lead > 1 { ", " (ahead(lead)) " ahead" }
                        @if speed > 1 { ", " (speed) " times as fast" }
                    } }
            }
            div { dt { "Deliveries" } dd { (mode_word(mode)) } }
            div { dt { "Faults" } dd { @if waiting == 0 { "none" } @else { (waiting) " waiting" } } }
        }
    }
}

/// `31 days` or `5 hours`.
fn ahead(seconds: i64) -> String {
    let (count, unit) = match seconds {
        172_800.. => (seconds / 86_400, "day"),
        7200.. => (seconds / 3600, "hour"),
        120.. => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Normal => "normal: sent at once",
        Mode::Held => "held back until they are normal again",
        Mode::Dropped => "dropped: nobody hears of anything",
    }
}

/// The buttons that move the clock.
pub fn steps(back: &str) -> Markup {
    html! {
        form.actions method="post" action="/_emulator/panel/clock" aria-label="Move the clock forward" {
            input type="hidden" name="back" value=(back);
            button name="by" value="hour" { "1 hour on" }
            button name="by" value="day" { "1 day on" }
            button name="by" value="month" { "1 month on" }
        }
    }
}

fn to(now: i64) -> Markup {
    // The form's own way to write a moment, to the minute.
    let text = super::act::local(now);
    html! {
        form.filter method="post" action="/_emulator/panel/clock" {
            input type="hidden" name="back" value=(HERE);
            label { "To this moment, in UTC" input type="datetime-local" name="to" required value=(text) min=(text); }
            button { "Go there" }
        }
    }
}

fn speeds(app: &App) -> Markup {
    let current = app.state.read(|store| store.clock.speed());
    let speeds = [(1, "As fast as time"), (3600, "An hour a second"), (86_400, "A day a second")];
    html! {
        form.actions method="post" action="/_emulator/panel/clock" aria-label="How fast the clock goes" {
            input type="hidden" name="back" value=(HERE);
            @for (speed, name) in speeds {
                button name="speed" value=(speed) aria-pressed=(speed == current) { (name) }
            }
        }
    }
}

fn mode(app: &App) -> Markup {
    let current = app.state.read(|store| store.settings.mode);
    let modes = [
        (Mode::Normal, "normal", "Normal"),
        (Mode::Held, "held", "Hold back"),
        (Mode::Dropped, "dropped", "Drop"),
    ];
    html! {
        p { "Now " (mode_word(current)) ". Back to normal sends what was held, in order." }
        form.actions method="post" action="/_emulator/panel/deliveries" aria-label="How deliveries go" {
            input type="hidden" name="back" value=(HERE);
            @for (mode, value, name) in modes {
                button name="mode" value=(value) aria-pressed=(mode == current) { (name) }
            }
        }
    }
}

pub async fn ask_reset() -> Response {
    let body = html! {
        p { "All objects, events, requests, faults and the clock's lead are forgotten. This cannot be undone." }
        form.actions method="post" action="/_emulator/panel/reset" {
            button.danger { "Forget everything" }
            a.button href=(HERE) { "Keep it" }
        }
    };
    page("Forget everything?", Part::Controls, None, &body)
}
