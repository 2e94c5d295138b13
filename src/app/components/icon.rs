//! A handful of line icons. Each stands beside words that say the same, so all are hidden from
//! assistive technology.

use leptos::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    Mark,
    Tick,
    Info,
    Alert,
    Lock,
    Refresh,
    Words,
}

impl Glyph {
    /// Strokes in a square of 24.
    fn path(self) -> &'static str {
        match self {
            Glyph::Mark => "M3 6h3.5c5.5 0 5 6 10.5 6H21M3 18h3.5c5.5 0 5-6 10.5-6",
            Glyph::Tick => "m5 12.5 4.5 4.5L19 7.5",
            Glyph::Info => "M12 11v5.5M12 7.5v.01M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
            Glyph::Alert => {
                "M12 9v4.5M12 17v.01M10.3 4 2.6 17.5A2 2 0 0 0 4.3 20.5h15.4a2 2 0 0 0 1.7-3L13.7 4a2 2 0 0 0-3.4 0Z"
            }
            Glyph::Lock => {
                "M7 11V8a5 5 0 0 1 10 0v3M6 11h12a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1ZM12 15v2"
            }
            Glyph::Refresh => "M20 11a8 8 0 0 0-14.3-4L4 9M4 4v5h5M4 13a8 8 0 0 0 14.3 4L20 15M20 20v-5h-5",
            Glyph::Words => {
                "M4 5h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-9l-5 4v-4H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1ZM7.5 9.5h9M7.5 13h5"
            }
        }
    }
}

#[component]
pub fn Icon(glyph: Glyph) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=glyph.path()></path>
        </svg>
    }
}
