//! A transaction: the only way to change anything. It sees its own changes at once; if it is dropped without
//! a commit, by an error or a panic, all of them are undone. Events are made here, so that an event and the
//! change it tells of are stored together or not at all.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::change::{Change, Loaded};
use super::collection::Key;
use super::diff::previous_attributes;
use super::due::Due;
use super::ids;
use super::kind::Kind;
use super::record::{Pattern, Record};
use super::settings::BillingSettings;
use super::store::{Settings, Store};
use crate::API_VERSION;
use crate::error::{ApiError, Place};
use crate::webhooks::{self, Draw};

/// Which API request a change came from, for the events it causes. Empty for hosted pages and the clock.
#[derive(Clone, Debug, Default)]
pub struct Stamp {
    pub request_id: Option<String>,
    pub idempotency_key: Option<String>,
}

pub struct Tx<'a> {
    store: &'a mut Store,
    stamp: Stamp,
    undo: Vec<(Kind, String, Option<Record>)>,
    deliveries: Vec<String>,
    /// The time of what is being done, where that is not the clock's.
    at: Option<i64>,
    /// Of which kind the ids are on a page that has ids in the place of its objects.
    page: Cell<Option<Kind>>,
}

/// A point to which a transaction can be taken back.
pub struct Savepoint {
    changes: usize,
    deliveries: usize,
}

impl<'a> Tx<'a> {
    pub fn begin(store: &'a mut Store, stamp: Stamp) -> Tx<'a> {
        Tx { store, stamp, undo: Vec::new(), deliveries: Vec::new(), at: None, page: Cell::new(None) }
    }

    /// Seconds since 1970 by the emulator's clock, or by the clock that is followed.
    pub fn now(&self) -> i64 {
        self.at.unwrap_or_else(|| self.store.clock.now())
    }

    /// From now on everything happens at this time; with `None`, by the emulator's clock.
    pub fn set_time(&mut self, at: Option<i64>) {
        self.at = at;
    }

    /// The answer is a page with ids of this kind in the place of its objects.
    pub fn name_page(&self, kind: Kind) {
        self.page.set(Some(kind));
    }

    /// Of which kind the ids on the answer's page are, if it is one.
    pub fn named_page(&self) -> Option<Kind> {
        self.page.take()
    }

    /// The time of the test clock that an object is on, or that it is.
    pub fn test_time(&self, id: &str) -> Option<i64> {
        self.store.collection(Kind::TestClock).filter(|clocks| clocks.len() > 0)?;
        let of =
            |clock: &str| self.find(Kind::TestClock, clock).and_then(|clock| clock["frozen_time"].as_i64());
        let kinds = [
            Kind::Customer,
            Kind::Subscription,
            Kind::SubscriptionSchedule,
            Kind::Invoice,
            Kind::CheckoutSession,
            Kind::InvoiceItem,
            Kind::PaymentIntent,
            Kind::Charge,
        ];
        let on = || {
            let object = kinds.into_iter().find_map(|kind| self.find(kind, id));
            let object = object.or_else(|| self.with_item(id))?;
            let clock = object["test_clock"].as_str();
            let customer = || {
                self.find(Kind::Customer, object["customer"].as_str()?)?["test_clock"]
                    .as_str()
                    .map(str::to_owned)
            };
            clock.map(str::to_owned).or_else(customer)
        };
        of(id).or_else(|| of(&on()?))
    }

    /// The test clock that an object's customer is on.
    fn clock_of_customer(&self, object: &Value) -> Option<Value> {
        let customer = self.store.find(Kind::Customer, object["customer"].as_str()?)?;
        Some(customer.raw("test_clock").clone()).filter(Value::is_string)
    }

    /// The subscription that has this item.
    pub fn with_item(&self, item: &str) -> Option<Cow<'_, Value>> {
        let all = self.store.collection(Kind::Subscription).filter(|_| item.starts_with("si_"))?;
        let has_it = |record: &&Record| {
            let items = record.field("items");
            items["data"].as_array().into_iter().flatten().any(|one| one["id"] == *item)
        };
        all.newest_first().find(has_it).map(Record::value)
    }

    /// Leaves something that is due alone until it changes again.
    pub fn forget_due(&mut self, clock: &str, due: &Due) {
        self.store.forget_due(clock, due);
    }

    /// How unpaid invoices are tried again, and what comes after.
    pub fn billing_settings(&self) -> BillingSettings {
        BillingSettings::read(self.store)
    }

    pub fn store(&self) -> &Store {
        self.store
    }

    pub fn settings(&self) -> &Settings {
        &self.store.settings
    }

    pub fn find(&self, kind: Kind, id: &str) -> Option<Cow<'_, Value>> {
        self.store.find(kind, id).map(Record::value)
    }

    /// A copy of the object, to change it.
    pub fn copy(&self, kind: Kind, id: &str) -> Option<Value> {
        self.find(kind, id).map(Cow::into_owned)
    }

    /// The emulator's own notes about an object; `null` if there are none.
    pub fn private(&self, kind: Kind, id: &str) -> &Value {
        self.store.find(kind, id).map_or(&Value::Null, |record| record.private())
    }

    /// A copy of the object, or Stripe's "No such …". A deleted customer counts as missing.
    pub fn require(&self, kind: Kind, id: &str, place: Place) -> Result<Value, ApiError> {
        match self.find(kind, id) {
            Some(value) if value["deleted"] != true => Ok(value.into_owned()),
            _ => Err(ApiError::no_such(kind, id, place)),
        }
    }

    /// The copies of all objects of a customer, newest first.
    pub fn of_customer(&self, kind: Kind, customer: &str) -> Vec<Value> {
        let all = self.store.collection(kind);
        all.map(|all| all.by_key(Key::Customer, customer).map(|record| record.value().into_owned()).collect())
            .unwrap_or_default()
    }

    /// Stores a new or changed object under its `id`, keeping its private notes.
    pub fn put(&mut self, kind: Kind, value: Value) {
        let id = value["id"].as_str().unwrap_or_default().to_owned();
        let private = self.private(kind, &id).clone();
        self.put_with(kind, &id, value, private);
    }

    /// Stores an object together with the emulator's notes about it.
    pub fn put_with(&mut self, kind: Kind, id: &str, value: Value, mut private: Value) {
        if kind == Kind::CheckoutSession
            && let Some(clock) = self.clock_of_customer(&value)
        {
            private["test_clock"] = clock;
        }
        let known = self.store.find(kind, id).map(|record| record.seq);
        let seq = known.unwrap_or_else(|| self.store.take_seq());
        self.set(kind, id, Some(Record::new(seq, value, private)));
    }

    /// Stores so many new objects of each pattern, which are made from it when somebody looks. Their ids tell the
    /// numbers, from 0. The patterns' notes stand beside them.
    pub fn load(&mut self, patterns: impl IntoIterator<Item = (Kind, Value, Value)>, count: usize) {
        let patterns: Vec<_> = patterns.into_iter().collect();
        let (first, stride) = (self.store.take_seq(), patterns.len() as u64);
        let patterns = patterns.into_iter().zip(first..);
        let patterns: Vec<_> = patterns
            .map(|((kind, value, private), first_seq)| {
                (kind, Arc::new(Pattern { value, private, first_seq, stride }))
            })
            .collect();
        for number in 0..count {
            for (kind, pattern) in &patterns {
                let record = Record::loaded(Arc::clone(pattern), number);
                self.set(*kind, &record.id(), Some(record));
            }
        }
    }

    pub fn remove(&mut self, kind: Kind, id: &str) {
        self.set(kind, id, None);
    }

    /// Stores a changed object and, if it did change, tells of it with an event that has the old values.
    pub fn update(&mut self, kind: Kind, value: Value, event: &str) {
        let id = value["id"].as_str().unwrap_or_default();
        let previous = self.find(kind, id).and_then(|before| previous_attributes(&before, &value));
        self.put(kind, value.clone());
        if let Some(previous) = previous {
            self.emit_with(event, &value, Some(previous));
        }
    }

    /// Stores a new object and tells of it.
    pub fn create(&mut self, kind: Kind, value: Value, event: &str) {
        self.put(kind, value.clone());
        self.emit(event, &value);
    }

    pub fn emit(&mut self, event: &str, object: &Value) {
        self.emit_with(event, object, None);
    }

    /// Makes an event with a snapshot of `object` and what it takes to deliver it.
    pub fn emit_with(&mut self, event: &str, object: &Value, previous: Option<Value>) {
        let id = ids::new("evt_");
        let targets = webhooks::targets(self.store, event);
        let mut data = json!({ "object": object });
        if let Some(previous) = previous {
            data["previous_attributes"] = previous;
        }
        let value = json!({
            "id": id,
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": data,
            "livemode": false,
            "pending_webhooks": if self.settings().mode.drops() { 0 } else { targets.len() },
            "request": { "id": self.stamp.request_id, "idempotency_key": self.stamp.idempotency_key },
            "type": event,
        });
        self.put(Kind::Event, value);
        for target in targets {
            let delivery = webhooks::delivery(&id, event, &target, self.settings().mode);
            let delivery_id = delivery["id"].as_str().unwrap_or_default().to_owned();
            let is_pending = delivery["state"] == "pending";
            self.put(Kind::Delivery, delivery);
            if is_pending {
                self.deliveries.push(delivery_id);
            }
        }
    }

    pub fn savepoint(&self) -> Savepoint {
        Savepoint { changes: self.undo.len(), deliveries: self.deliveries.len() }
    }

    /// Undoes everything since the savepoint.
    pub fn roll_back_to(&mut self, savepoint: &Savepoint) {
        while self.undo.len() > savepoint.changes {
            if let Some((kind, id, before)) = self.undo.pop() {
                self.store.set(kind, &id, before);
            }
        }
        self.deliveries.truncate(savepoint.deliveries);
    }

    /// What this transaction changed, each object once, as it is now.
    pub fn changes(&self) -> Vec<Change> {
        let (mut seen, mut loaded) = (HashSet::new(), Loaded::default());
        let touched = self.undo.iter().filter(|(kind, id, _)| seen.insert((*kind, id.as_str())));
        let touched = touched.map(|(kind, id, _)| (*kind, id, self.store.find(*kind, id)));
        let single = touched.filter(|(kind, _, now)| !now.is_some_and(|now| loaded.take(*kind, now)));
        let mut changes: Vec<_> = single.map(|(kind, id, now)| Change::of(kind, id, now)).collect();
        changes.extend(loaded.into_changes());
        changes
    }

    /// Keeps the changes. Gives what becomes of the deliveries, if there are any.
    pub fn commit(mut self) -> Option<Draw> {
        self.undo.clear();
        let ids = std::mem::take(&mut self.deliveries);
        let dice = self.store.settings.dice.as_mut();
        (!ids.is_empty()).then(|| dice.map_or_else(|| Draw::certain(&ids), |dice| dice.draw(&ids)))
    }

    fn set(&mut self, kind: Kind, id: &str, record: Option<Record>) {
        let before = self.store.set(kind, id, record);
        self.undo.push((kind, id.to_owned(), before));
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        self.roll_back_to(&Savepoint { changes: 0, deliveries: 0 });
    }
}
