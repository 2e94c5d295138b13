//! The answer when the real pages can't be rendered: a page in the same dress for people, text for
//! programs. May not need a session, a user, or anything else that could be down.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::pages::error_page_html;
use crate::app::view::FrameView;

/// A status, what happened, and what to do now.
#[derive(Debug, Clone)]
pub struct PlainPage {
    status: StatusCode,
    title: String,
    text: String,
}

impl PlainPage {
    #[must_use]
    pub fn new(status: StatusCode, title: &str, text: &str) -> Self {
        Self { status, title: title.to_owned(), text: text.to_owned() }
    }

    /// HTML for a browser, plain text for anybody else.
    #[must_use]
    pub fn answer(&self, request: &HeaderMap) -> Response {
        let (kind, body) = if wants_html(request) {
            ("text/html; charset=utf-8", self.html())
        } else {
            ("text/plain; charset=utf-8", format!("{}. {}\n", self.title, self.text))
        };
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(kind))];
        (self.status, kind, body).into_response()
    }

    fn html(&self) -> String {
        let back = ("/", "Go to the start");
        error_page_html(FrameView::default(), &self.title, &self.text, back)
    }
}

/// Whether a person's browser asks for a page, and not a script for data.
#[must_use]
pub fn wants_html(request: &HeaderMap) -> bool {
    request
        .get_all(header::ACCEPT)
        .iter()
        .any(|accept| accept.as_bytes().windows(9).any(|part| part == b"text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_for_browsers_and_is_escaped() {
        let page = PlainPage::new(StatusCode::FORBIDDEN, "No <b>", "a & b");
        let html = page.html();
        assert!(html.contains("No &lt;b&gt;</h1>") && html.contains("a &amp; b"), "{html}");
        let mut headers = HeaderMap::new();
        let answer = page.answer(&headers);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/xhtml+xml, text/html;q=0.9"));
        let answer = page.answer(&headers);
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    }
}
