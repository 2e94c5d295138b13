//! `/signup`: one column, two fields.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::app::components::{
    EmailField, Frame, IslandScripts, PasswordField, Purpose, Section, SubmitButton,
};
use crate::app::flash::Flash;

#[component]
pub fn SignUpPage() -> impl IntoView {
    let failed = use_context::<Flash>().is_some_and(|flash| flash.has_errors());
    view! {
        <Title text=if failed { "Error: Sign up" } else { "Sign up" }/>
        <Frame section=Section::SignUp>
            <div class="column form">
                <div class="stack">
                    <h1>"Create your account"</h1>
                    <p class="lead">"It's free, and takes no card."</p>
                </div>
                // Our own messages stand beside the fields, so the browser's are off.
                <form method="post" action="/api/sign_up" class="surface" novalidate>
                    <EmailField purpose=Purpose::SignUp/>
                    <PasswordField
                        purpose=Purpose::SignUp
                        hint=Some("At least 10 characters. A few words in a row work well.")
                    />
                    <SubmitButton label="Create account"/>
                </form>
                <p>"Have an account? " <a href="/login">"Log in"</a></p>
            </div>
        </Frame>
        <IslandScripts/>
    }
}
