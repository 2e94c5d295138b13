//! `/login`: one column, two fields.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::app::components::{
    EmailField, Frame, IslandScripts, PasswordField, Purpose, Section, SubmitButton,
};
use crate::app::flash::Flash;

#[component]
pub fn LogInPage() -> impl IntoView {
    let failed = use_context::<Flash>().is_some_and(|flash| flash.has_errors());
    view! {
        <Title text=if failed { "Error: Log in" } else { "Log in" }/>
        <Frame section=Section::LogIn>
            <div class="column form">
                <h1>"Log in"</h1>
                // Our own messages stand beside the fields, so the browser's are off.
                <form method="post" action="/api/log_in" class="surface" novalidate>
                    <EmailField purpose=Purpose::LogIn/>
                    <PasswordField purpose=Purpose::LogIn/>
                    <SubmitButton label="Log in"/>
                </form>
                <p>"New here? " <a href="/signup">"Create an account"</a></p>
            </div>
        </Frame>
        <IslandScripts/>
    }
}
