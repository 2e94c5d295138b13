//! The part of a page that waits for its data.

use std::future::Future;

use leptos::prelude::*;

use crate::app::flash::Tone;
use crate::app::view::NoticeView;

use super::Notice;

/// Renders what `data` brings, in order, so that no script is needed. What went wrong is the
/// server's to log and to turn into a status; the visitor reads that nothing has changed.
pub fn loaded<T, V>(
    data: impl Future<Output = Result<T, ServerFnError>> + Send + 'static,
    render: impl FnOnce(T) -> V + Send + 'static,
) -> impl IntoView
where
    T: Send + 'static,
    V: IntoView + Send + 'static,
{
    let content = Suspend::new(async move {
        match data.await {
            Ok(data) => render(data).into_any(),
            Err(_) => view! { <Trouble/> }.into_any(),
        }
    });
    view! { <Suspense>{content}</Suspense> }.into_any()
}

#[component]
fn Trouble() -> impl IntoView {
    let notice = NoticeView {
        tone: Tone::Warn,
        title: "Part of this page is missing".to_owned(),
        text: "Our records don't answer right now. Nothing has changed and nothing was charged by \
               opening this page. Try again in a minute."
            .to_owned(),
        action: None,
        form: None,
    };
    view! {
        <div class="column result">
            <h1>"We can't show this right now"</h1>
            <Notice notice/>
        </div>
    }
}
