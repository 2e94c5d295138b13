//! Test clocks: a time of their own for the customers that are made with one. Advancing is asynchronous, as at
//! Stripe: the answer says `advancing`, and what is due has happened when the clock says `ready`.

use serde_json::{Value, json};

use super::Call;
use crate::billing::test_clock;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::state::{Kind, ids, number};

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let frozen = params.integer("frozen_time")?.ok_or_else(|| ApiError::missing_param("frozen_time"))?;
    let name = params.text("name")?;
    params.finish()?;
    let now = call.tx.now();
    let clock = json!({
        "id": ids::new("clock_"),
        "object": "test_helpers.test_clock",
        "created": now,
        "deletes_after": now + test_clock::LIFE,
        "frozen_time": frozen,
        "livemode": false,
        "name": name,
        "status": "ready",
        "status_details": {},
    });
    call.tx.set_time(Some(frozen));
    call.tx.create(Kind::TestClock, clock.clone(), "test_helpers.test_clock.created");
    Ok(clock)
}

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::TestClock, call.id(), Place::Path)
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read(&mut params)?;
    params.finish()?;
    page.of(call.tx, Kind::TestClock, "/v1/test_helpers/test_clocks", None, |_| true)
}

pub fn advance(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let to = params.integer("frozen_time")?.ok_or_else(|| ApiError::missing_param("frozen_time"))?;
    params.finish()?;
    let mut clock = call.tx.require(Kind::TestClock, call.id(), Place::Path)?;
    let bad = |message: String| Err(ApiError::invalid(message).param("frozen_time"));
    if clock["status"] != "ready" {
        let message = "This test clock is still advancing: wait until its status is ready.";
        return Err(ApiError::invalid(message));
    }
    let from = number(&clock, "frozen_time");
    if to <= from {
        return bad(format!("The frozen_time must be later than the test clock's present time, {from}."));
    }
    let furthest = test_clock::furthest(call.tx, call.id(), from);
    if to > furthest {
        return bad(format!(
            "You can advance a test clock by at most two intervals of its shortest subscription, or two years if it \
             has none: until {furthest}."
        ));
    }
    clock["status"] = json!("advancing");
    clock["status_details"] = json!({ "advancing": { "target_frozen_time": to } });
    call.tx.put(Kind::TestClock, clock.clone());
    call.tx.emit("test_helpers.test_clock.advancing", &clock);
    Ok(clock)
}

pub fn delete(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let clock = call.tx.require(Kind::TestClock, call.id(), Place::Path)?;
    test_clock::delete(call.tx, &clock);
    Ok(json!({ "id": call.id(), "object": "test_helpers.test_clock", "deleted": true }))
}
