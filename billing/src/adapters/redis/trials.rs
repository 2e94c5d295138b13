//! `stripe:trial:<user>`: the user's one trial, `stripe:trial-card:<hash>`: who had one with that card,
//! and `{stripe:customer:<id>}:tried`: with which cards an open invoice was tried. The first two are for
//! ever.
//!
//! Each is plain text of words with a space between, so that a text is compared, and never what
//! another release has made of it.

use async_trait::async_trait;

use super::{RedisStore, unavailable};
use crate::error::StoreError;
use crate::id::{CardHash, CustomerId, InvoiceId, PaymentMethodId, UserId};
use crate::ports::{TrialMark, Trials, TriedCards};

const USED: &str = "used";
/// Longer than Stripe tries an invoice again.
const TRIED_SECONDS: u64 = 90 * 24 * 60 * 60;

fn trial_key(user: &UserId) -> String {
    format!("stripe:trial:{user}")
}

fn card_key(card: &CardHash) -> String {
    format!("stripe:trial-card:{card}")
}

fn tried_key(customer: &CustomerId) -> String {
    format!("{{stripe:customer:{customer}}}:tried")
}

fn to_text(mark: &TrialMark) -> String {
    match mark {
        TrialMark::Used => USED.to_owned(),
        TrialMark::Reserved { customer, from } => {
            let all = std::iter::once(customer).chain(from).map(CustomerId::as_str);
            all.collect::<Vec<_>>().join(" ")
        }
    }
}

/// What can't be read counts as used: a doubt is no reason to give a second trial.
fn from_text(user: &UserId, text: &str) -> TrialMark {
    if text == USED {
        return TrialMark::Used;
    }
    let ids: Result<Vec<_>, _> = text.split(' ').map(CustomerId::parse).collect();
    match ids.map(|ids| ids.split_first().map(|(first, rest)| (first.clone(), rest.to_vec()))) {
        Ok(Some((customer, from))) => TrialMark::Reserved { customer, from },
        _ => {
            tracing::warn!(%user, "the mark of a trial can't be read and counts as used");
            TrialMark::Used
        }
    }
}

#[async_trait]
impl Trials for RedisStore {
    async fn trial(&self, user: &UserId) -> Result<Option<TrialMark>, StoreError> {
        Ok(self.text(&trial_key(user)).await?.map(|text| from_text(user, &text)))
    }

    async fn swap_trial(
        &self,
        user: &UserId,
        current: Option<&TrialMark>,
        next: &TrialMark,
    ) -> Result<Option<TrialMark>, StoreError> {
        let current = current.map(to_text).unwrap_or_default();
        let stored = self.swap(&trial_key(user), &current, &to_text(next)).await?;
        Ok(stored.map(|text| from_text(user, &text)))
    }

    async fn use_trial(&self, user: &UserId) -> Result<(), StoreError> {
        let key = trial_key(user);
        // Each sync of who has had one asks; only the first has something to write.
        if self.text(&key).await?.as_deref() == Some(USED) {
            return Ok(());
        }
        let mut redis = self.redis.clone();
        redis::cmd("SET").arg(key).arg(USED).query_async(&mut redis).await.map_err(unavailable)
    }

    async fn claim_card(&self, card: &CardHash, customer: &CustomerId) -> Result<CustomerId, StoreError> {
        let stored = self.swap(&card_key(card), "", customer.as_str()).await?;
        // What can't be read is nobody's.
        Ok(stored.and_then(|text| CustomerId::parse(text).ok()).unwrap_or_else(|| customer.clone()))
    }

    async fn tried_cards(&self, customer: &CustomerId) -> Result<Option<TriedCards>, StoreError> {
        let text = self.text(&tried_key(customer)).await?;
        Ok(text.and_then(|text| {
            let mut words = text.split(' ');
            let invoice = InvoiceId::parse(words.next()?).ok()?;
            let cards = words.map(PaymentMethodId::parse).collect::<Result<_, _>>().ok()?;
            Some(TriedCards { invoice, cards })
        }))
    }

    async fn set_tried_cards(&self, customer: &CustomerId, tried: &TriedCards) -> Result<(), StoreError> {
        let cards = tried.cards.iter().map(PaymentMethodId::as_str);
        let words: Vec<_> = std::iter::once(tried.invoice.as_str()).chain(cards).collect();
        let mut redis = self.redis.clone();
        let mut set = redis::cmd("SET");
        set.arg(tried_key(customer)).arg(words.join(" ")).arg("EX").arg(TRIED_SECONDS);
        set.query_async(&mut redis).await.map_err(unavailable)
    }
}
