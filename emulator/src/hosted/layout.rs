//! What all pages share: the frame, the notice that this is a test, and the style. Works from 320 px, in light
//! and dark, without scripts.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use time::OffsetDateTime;

/// A whole page. `body` goes into `main`.
pub fn page(title: &str, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p { strong { "TEST MODE" } " This is a stand-in for Stripe. No money moves, and no card is charged." }
                }
                main { (body) }
            }
        }
    };
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ];
    (headers, page).into_response()
}

/// A page that only says something, with one way on.
pub fn message(title: &str, text: &str, way_on: Option<(&str, &str)>) -> Response {
    let body = html! {
        div.narrow {
            h1 { (title) }
            p { (text) }
            @if let Some((label, url)) = way_on {
                p { a href=(url) { (label) } }
            }
        }
    };
    page(title, &body)
}

/// `3 March 2027`.
pub fn date(timestamp: i64) -> String {
    OffsetDateTime::from_unix_timestamp(timestamp)
        .map(|at| format!("{} {} {}", at.day(), at.month(), at.year()))
        .unwrap_or_default()
}

const STYLE: &str = "
:root { color-scheme: light dark;
  --paper: light-dark(#fff, #14171c); --side: light-dark(#f4f6f8, #1b1f26); --ink: light-dark(#1a1f2b, #e9ebee);
  --soft: light-dark(#4d5566, #b1b8c4); --line: light-dark(#8a93a3, #6b7482); --hair: light-dark(#d9dee5, #333a45);
  --accent: light-dark(#0b5566, #6fcbdd); --on-accent: light-dark(#fff, #06222a);
  --bad: light-dark(#a5103a, #ff9db0); --test: light-dark(#fdebc8, #4a3300); --on-test: light-dark(#4d2c00, #ffe6ba); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header { background: var(--test); color: var(--on-test); padding: 8px 16px; text-align: center; font-size: 14px; }
header p { margin: 0; }
h1 { font-size: 22px; line-height: 1.2; font-weight: 650; margin: 0 0 8px; }
h2 { font-size: 18px; line-height: 1.2; font-weight: 650; margin: 0 0 16px; }
p { margin: 0 0 16px; overflow-wrap: anywhere; }
a { color: var(--accent); }
.soft { color: var(--soft); }
.amount { font-size: 30px; font-weight: 650; line-height: 1.15; font-variant-numeric: tabular-nums; }
.narrow { max-width: 36rem; margin: 0 auto; padding: 40px 16px; }
.columns { display: grid; grid-template-columns: minmax(0, 1fr); }
.columns > section { padding: 24px 16px; }
.columns > section > div { max-width: 26rem; margin: 0 auto; }
.facts { background: var(--side); }
dl { margin: 24px 0 0; font-variant-numeric: tabular-nums; }
dl > div { display: flex; justify-content: space-between; gap: 16px; padding: 12px 0; border-top: 1px solid var(--hair); }
dt { overflow-wrap: anywhere; } dd { margin: 0; text-align: right; white-space: nowrap; }
dl > .total { font-weight: 650; }
.field { margin: 0 0 16px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 0 16px; }
label { display: block; font-weight: 550; font-size: 14px; margin-bottom: 4px; }
.hint { font-weight: 400; color: var(--soft); }
input { width: 100%; min-height: 44px; padding: 8px 12px; font: inherit; color: inherit; background: var(--paper);
  border: 1px solid var(--line); border-radius: 8px; }
input[aria-invalid=true] { border-color: var(--bad); border-width: 2px; }
.error { color: var(--bad); font-size: 14px; margin: 4px 0 0; }
button { width: 100%; min-height: 48px; padding: 8px 16px; font: inherit; font-weight: 650; cursor: pointer;
  color: var(--on-accent); background: var(--accent); border: 1px solid var(--accent); border-radius: 8px; }
form + form button { margin-top: 12px; } h2.or { margin-top: 32px; }
button.quiet { color: var(--accent); background: transparent; margin-top: 12px; }
form.code { margin-top: 24px; } form.code .field { margin: 0; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.cards { margin-top: 40px; padding-top: 16px; border-top: 1px solid var(--hair); font-size: 14px; color: var(--soft); }
.cards h2 { font-size: 14px; margin-bottom: 8px; } .cards ul { margin: 0; padding: 0; list-style: none; }
.cards li { margin-bottom: 4px; } .cards code { font-size: 14px; white-space: nowrap; color: var(--ink); }
table { width: 100%; border-collapse: collapse; font-size: 14px; } th, td { text-align: left; padding: 4px 8px 4px 0;
  border-bottom: 1px solid var(--hair); overflow-wrap: anywhere; vertical-align: top; }
.wide { max-width: 70rem; margin: 0 auto; padding: 24px 16px; } .scroll { overflow-x: auto; margin-bottom: 24px; }
.portal { max-width: 46rem; margin: 0 auto; padding: 24px 16px 64px; } .portal > section { margin-top: 40px; }
.portal > section > h2 { margin-bottom: 8px; } .portal > form, .portal > .totals { max-width: 30rem; margin-top: 24px; }
.portal dl { margin-top: 8px; } .portal .cards { max-width: 30rem; } .info dd { white-space: normal; overflow-wrap: anywhere; }
.rows { list-style: none; margin: 0; padding: 0; } .rows p { margin: 0; } .rows > li { display: flex; flex-wrap: wrap;
  align-items: center; justify-content: space-between; gap: 8px 16px; padding: 12px 0; border-top: 1px solid var(--hair); }
.badge { display: inline-block; padding: 0 8px; border: 1px solid var(--line); border-radius: 12px; font-size: 13px; }
.acts { display: flex; flex-wrap: wrap; gap: 8px; } .acts button, .acts form button, .button { width: auto; margin: 0;
  min-height: 44px; font-size: 15px; } .button { display: inline-flex; align-items: center; padding: 8px 16px;
  border: 1px solid var(--accent); border-radius: 8px; font-weight: 650; text-decoration: none; }
.note { padding: 12px 16px; background: var(--side); border-left: 4px solid var(--accent); } .note.bad { border-color: var(--bad); }
fieldset { border: 0; margin: 0 0 16px; padding: 0; } legend { font-weight: 550; font-size: 14px; padding: 0; }
.choice { display: flex; align-items: center; gap: 12px; min-height: 44px; font-size: 16px; font-weight: 400; margin: 0; }
input[type=radio], input[type=checkbox] { margin: 0; width: 20px; height: 20px; min-height: 0; flex: none; accent-color: var(--accent); }
textarea { width: 100%; min-height: 96px; padding: 8px 12px; font: inherit; color: inherit; background: var(--paper);
  border: 1px solid var(--line); border-radius: 8px; } footer { margin-top: 40px; font-size: 14px; }
@media (min-width: 800px) { .columns { grid-template-columns: 1fr 1fr; min-height: calc(100vh - 37px); }
  .columns > section { padding: 64px 40px; } .facts > div { margin-right: 0; margin-left: auto; }
  .action > div { margin-left: 0; } }
";
