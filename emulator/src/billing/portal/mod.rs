//! What a customer does in the portal: every action is one transaction that may be sent twice, asks whether the
//! session is open and its configuration allows it, and reaches only what belongs to the session's customer.
//! Emits what the API emits for the same. Knows nothing of HTML.

pub mod cancel;
pub mod cards;
pub mod change;
pub mod configuration;
pub mod details;
pub mod later;
pub mod promotion;
pub mod wish;

use serde_json::{Value, json};

use self::configuration::allows;
use super::cards::Decline;
use super::payment::Verdict;
use crate::billing::subscription::has_ended;
use crate::error::{ApiError, Place};
use crate::state::{Kind, Tx, number, text};

/// Where the pages of a session are; its id follows.
pub const PATH: &str = "/p/session/";

/// How long a session is open. Stripe's reference says that sessions are short-lived and that one which nobody
/// visits expires sooner (five minutes, it is said); here each has an hour from when it was made.
const LIFE: i64 = 3_600;

/// An open session, whose customer is there.
#[derive(Clone, Debug)]
pub struct Visit {
    pub session: Value,
    pub customer: Value,
    pub configuration: Value,
    /// Whether it is for one thing only, which is still to be done.
    pub in_flow: bool,
    /// The time by the customer's clock.
    pub now: i64,
}

/// What became of something that may have to be paid or confirmed.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Go to this URL.
    Done(String),
    /// Nothing has changed.
    Declined(Decline),
    /// Nothing has changed, because of this.
    Refused(String),
    /// Nothing has changed yet: go to the 3-D Secure challenge with this id.
    Challenge(String),
}

/// Stores a new session, which is open from now on.
pub fn begin(tx: &mut Tx, session: &Value) {
    let notes = json!({ "expires_at": tx.store().clock.now() + LIFE });
    tx.put_with(Kind::PortalSession, text(session, "id"), session.clone(), notes);
}

/// An open session; from now on everything happens at its customer's time. A 404 if there is none, a 410 if it
/// is over.
pub fn visit(tx: &mut Tx, id: &str) -> Result<Visit, ApiError> {
    let session = tx.require(Kind::PortalSession, id, Place::Path)?;
    let notes = tx.private(Kind::PortalSession, id).clone();
    // Sessions are not on a test clock, though their customers may be.
    if number(&notes, "expires_at") <= tx.store().clock.now() {
        return Err(over());
    }
    let customer = text(&session, "customer");
    tx.set_time(tx.test_time(customer));
    let customer = tx.require(Kind::Customer, customer, Place::Path).map_err(|_| over())?;
    let configuration =
        tx.require(Kind::PortalConfiguration, text(&session, "configuration"), Place::Path)?;
    let in_flow = !session["flow"].is_null() && notes["flow_done"] != true;
    Ok(Visit { session, customer, configuration, in_flow, now: tx.now() })
}

fn over() -> ApiError {
    ApiError::gone("This session has expired.")
}

impl Visit {
    /// The path of the session's first page.
    pub fn home(&self) -> String {
        format!("{PATH}{}", text(&self.session, "id"))
    }

    pub fn allows(&self, feature: &str) -> bool {
        allows(&self.configuration, feature)
    }

    /// A 403 unless the feature is on.
    pub fn ensure(&self, feature: &str) -> Result<(), ApiError> {
        match self.allows(feature) {
            true => Ok(()),
            false => Err(ApiError::forbidden("This portal does not offer that.")),
        }
    }

    /// The customer's own object, or a 404.
    pub fn own(&self, tx: &Tx, kind: Kind, id: &str) -> Result<Value, ApiError> {
        let found = tx.find(kind, id).filter(|it| it["customer"] == self.customer["id"]);
        found.map(std::borrow::Cow::into_owned).ok_or_else(|| ApiError::no_such(kind, id, Place::Path))
    }

    /// The customer's subscriptions that have not ended, newest first.
    pub fn subscriptions(&self, tx: &Tx) -> Vec<Value> {
        let all = tx.of_customer(Kind::Subscription, text(&self.customer, "id"));
        all.into_iter().filter(|it| !has_ended(it)).collect()
    }

    /// Where to go after something was done: where the flow says if it was for this, else home, with a notice.
    pub fn finish(&self, tx: &mut Tx, action: &str, notice: &str) -> String {
        let flow = &self.session["flow"];
        let wanted = text(flow, "type");
        let is_it =
            wanted == action || (action == "subscription_update" && wanted == "subscription_update_confirm");
        if !is_it {
            return format!("{}?notice={notice}", self.home());
        }
        if self.in_flow {
            self.note(tx, "flow_done", json!(true));
        }
        let after = &flow["after_completion"];
        match text(after, "type") {
            "redirect" => text(&after["redirect"], "return_url").to_owned(),
            "hosted_confirmation" => format!("{}/done", self.home()),
            _ => format!("{}?notice={notice}", self.home()),
        }
    }

    /// Remembers something beside the session.
    fn note(&self, tx: &mut Tx, name: &str, value: Value) {
        let id = text(&self.session, "id");
        let mut notes = tx.private(Kind::PortalSession, id).clone();
        notes[name] = value;
        tx.put_with(Kind::PortalSession, id, self.session.clone(), notes);
    }
}

/// The owner passed or failed the challenge. Gives the page on which it goes on.
pub fn conclude(tx: &mut Tx, challenge: &Value, verdict: Verdict) -> Result<String, ApiError> {
    let visit = visit(tx, text(challenge, "portal_session"))?;
    tx.remove(Kind::Challenge, text(challenge, "id"));
    let page = format!("{}{}", visit.home(), text(challenge, "page"));
    let failed = |reason: &str| {
        let separator = if page.contains('?') { '&' } else { '?' };
        format!("{page}{separator}error={reason}")
    };
    if verdict == Verdict::Failed {
        return Ok(failed("authentication"));
    }
    let outcome = match challenge["subscription"].as_str() {
        Some(subscription) => change::conclude(tx, &visit, subscription, challenge)?,
        None => Outcome::Done(cards::conclude(tx, &visit, challenge)?),
    };
    Ok(match outcome {
        Outcome::Done(url) => url,
        Outcome::Declined(_) | Outcome::Refused(_) | Outcome::Challenge(_) => failed("declined"),
    })
}
