//! The console under `/_emulator`, for people: what is in here, what was asked, what was told to whom, and the
//! controls as buttons. It shows and forwards only: every button sends the JSON control that a test would send.
//! Pages are complete without a script; `console.js` keeps what is marked live as the server has it.

mod act;
mod event;
mod events;
mod faults;
mod frame;
mod json;
mod object;
mod objects;
mod overview;
mod panel;
mod renewals;
mod requests;
mod rows;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::{get, post};

use crate::server::App;

const STYLE: &str = include_str!("console.css");
const SCRIPT: &str = include_str!("console.js");
/// Without an icon of its own a browser asks for one, and that would stand in the log of requests.
const ICON: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='16' height='16' rx='4' \
                    fill='#0b5f66'/><path d='M4 5h8M4 8h8M4 11h5' stroke='#fff' stroke-width='1.5'/></svg>";

/// The pages, and what their forms are sent to.
pub fn router() -> Router<App> {
    Router::new()
        .route("/_emulator", get(overview::show))
        .route("/_emulator/console.css", get(async || asset("text/css; charset=utf-8", STYLE)))
        .route("/_emulator/console.js", get(async || asset("text/javascript; charset=utf-8", SCRIPT)))
        .route("/_emulator/icon.svg", get(async || asset("image/svg+xml", ICON)))
        .route("/_emulator/objects", get(objects::search))
        .route("/_emulator/objects/{kind}", get(objects::list))
        .route("/_emulator/log", get(requests::list))
        .route("/_emulator/log/{id}", get(requests::show))
        .route("/_emulator/timeline", get(events::list))
        .route("/_emulator/timeline/{id}", get(event::show))
        .route("/_emulator/panel", get(panel::show))
        .route("/_emulator/panel/reset", get(panel::ask_reset).post(act::reset))
        .route("/_emulator/panel/clock", post(act::clock))
        .route("/_emulator/panel/deliveries", post(act::deliveries))
        .route("/_emulator/panel/resend", post(act::resend))
        .route("/_emulator/panel/renewals", post(act::decline_renewal))
        .route("/_emulator/panel/faults", post(act::fault))
        .route("/_emulator/panel/faults/clear", post(act::clear_faults))
        .route("/_emulator/panel/faults/release", post(act::release))
}

pub use self::object::show as show_object;

fn asset(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-cache")], text)
}
