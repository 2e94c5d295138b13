//! A message: what happened, what it means, what to do.

use leptos::prelude::*;

use crate::app::flash::{Flash, Tone};
use crate::app::view::NoticeView;

use super::{Glyph, Icon, Kind, LinkButton, PostButton};

#[component]
pub fn Notice(notice: NoticeView) -> impl IntoView {
    let glyph = match notice.tone {
        Tone::Info => Glyph::Info,
        Tone::Good => Glyph::Tick,
        Tone::Warn | Tone::Bad => Glyph::Alert,
    };
    let action =
        notice.action.map(|link| view! { <LinkButton kind=Kind::Primary href=link.href label=link.label/> });
    // One main action: the form steps back where there is a link too.
    let kind = if action.is_some() { Kind::Quiet } else { Kind::Primary };
    let form = notice.form.map(|form| view! { <PostButton kind form/> });
    view! {
        <div class=format!("notice {}", notice.tone.name())>
            <Icon glyph/>
            <p class="what">{notice.title}</p>
            <p>{notice.text}</p>
            {action}
            {form}
        </div>
    }
    .into_any()
}

/// The outcome of the form that led here, if there is one.
#[component]
pub fn FlashNotice() -> impl IntoView {
    let notice = use_context::<Flash>().and_then(|flash| flash.notice)?;
    let notice =
        NoticeView { tone: notice.tone, title: notice.title, text: notice.text, action: None, form: None };
    Some(view! { <div class="flash"><Notice notice/></div> })
}
