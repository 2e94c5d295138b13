//! The page for when the real pages can't be rendered: no session, no user, no script.
//! May not need anything that could be down.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

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
        let (title, text) = (escaped(&self.title), escaped(&self.text));
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<link rel=\"stylesheet\" href=\"/pkg/unsplit.css\">\n</head>\n\
             <body>\n<main class=\"page page-narrow\">\n<h1>{title}</h1>\n<p>{text}</p>\n\
             <p><a href=\"/\">Go to the front page</a></p>\n</main>\n</body>\n</html>\n"
        )
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

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_for_browsers_and_is_escaped() {
        let page = PlainPage::new(StatusCode::FORBIDDEN, "No <b>", "a & b");
        assert!(page.html().contains("<h1>No &lt;b&gt;</h1>\n<p>a &amp; b</p>"));
        let mut headers = HeaderMap::new();
        let answer = page.answer(&headers);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/xhtml+xml, text/html;q=0.9"));
        let answer = page.answer(&headers);
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    }
}
