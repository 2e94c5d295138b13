//! Keeps the outcome of a form for the page that follows it.

use axum::http::request::Parts;
use leptos::prelude::ServerFnError;
use tower_sessions::Session;

use super::gate::{context, unavailable};
use super::session::Visitor;
use crate::app::flash::{Flash, FlashNotice, Tone};

/// The next page says this, once.
///
/// # Errors
/// `ServerFnError`, with status 503, where it could not be kept.
pub async fn tell(tone: Tone, title: &str, text: &str) -> Result<(), ServerFnError> {
    let session = context::<Parts>()?.extensions.get::<Session>().cloned();
    let session = session.ok_or_else(|| ServerFnError::new("The server is not set up for forms."))?;
    let notice = FlashNotice { tone, title: title.to_owned(), text: text.to_owned() };
    let flash = Flash { notice: Some(notice), ..Flash::default() };
    Visitor::new(session).set_flash(&flash).await.map_err(unavailable)
}
