//! The outcome of a form, carried once over the redirect that follows it: the server keeps it in
//! the session, the next page shows it. May not hold a password.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a message is meant. Colour is never the only sign: each comes with words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tone {
    #[default]
    Info,
    Good,
    Warn,
    Bad,
}

impl Tone {
    /// The name that the style sheet knows it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Tone::Info => "info",
            Tone::Good => "good",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Flash {
    pub notice: Option<FlashNotice>,
    /// Field name to message.
    pub errors: BTreeMap<String, String>,
    /// Field name to what was typed, so that nobody types it twice. Never a password.
    pub values: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlashNotice {
    pub tone: Tone,
    pub title: String,
    pub text: String,
}

impl Flash {
    #[must_use]
    pub fn error(&self, field: &str) -> Option<String> {
        self.errors.get(field).cloned()
    }

    #[must_use]
    pub fn value(&self, field: &str) -> String {
        self.values.get(field).cloned().unwrap_or_default()
    }

    /// Whether the form has to be filled in again.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }
}
