//! The protocol of docs/sync.md as a model that `stateright` explores, every order of every step:
//! webhooks that come twice, late, in any order or never; processes that die at every step; leases
//! that run out at any time, and workers that wake late; slow fetches; a Redis that fails over and
//! loses its last writes; clocks that disagree. It imports nothing of the app, and the app nothing
//! of it: whoever changes a rule changes it here too, and sees whether it still holds.
//!
//! ```text
//! cargo test -p unsplit-model                 what must hold, and each broken rule, in a minute
//! cargo run -p unsplit-model                  how many states each run has, with all cores
//! cargo run -p unsplit-model -- soak          the large runs, some minutes
//! ```
//!
//! # Which step stands for what
//!
//! | here | in `billing/src` |
//! |---|---|
//! | `Action::Webhook` | `adapters/webhook.rs`: the mark, then 200. A death before the mark is a webhook that is still on its way; one after it, `WebhookTwice`. `WebhookLost`: 503 until Stripe gives up |
//! | `Queue::{mark, claim, done, failed}` | `mark.lua`, `claim.lua`, `done.lua`, `failed.lua` of `adapters/redis/queue/` |
//! | `Begin`, `Keys::write` | `BEGIN`, `WRITE` of `adapters/redis/snapshots.rs` |
//! | `Fetch` | Stripe's read within `sync` of `service/sync.rs`; the time until `Write` is its answer's way back |
//! | `Claim`, `Begin`, `Fetch`, `Write`, `Mark`, `Done`, `Fail` of a worker | `sync_claimed` and `work` of `service/worker.rs`. A `Fail` after the fetch leaves the write on its way: it may reach Redis after the failure |
//! | the same of a visit | `sync_now` of `service/sync.rs`: no lease, `Fail` is `mark_now`, a refused write reports nothing |
//! | `Start`, `Call` of a verb | an action: `Due::From` before the call, the call, then a sync as a visit's |
//! | `Crash` | a kill at any await point. A lease that then has to run out is `Lease::OfNobodyNow` |
//! | `Claim` of what is on lease | the lease has run out; its holder may live and go on |
//! | `Reconcile` | `service/reconcile.rs`: marks where `syncedAt` is not later than the newest event |
//! | `Lag`, `Failover`, `Notice` | a replica that writes reach no longer is promoted; then another replication id is seen, and all are marked |
//! | `Rebuild` and its slots | `service/rebuild`: all tickets, then all reads, then all writes; a refused one is marked |
//! | `binding` | `service/customer.rs`, and `checkout.rs` up to the session |
//!
//! # What must hold
//!
//! Safety: a write never goes back behind one of a sync that began later; two sellers never sell to
//! two customers that both exist. Liveness, as a property of quiet states: where nothing is on its
//! way, nothing due and nobody at work, the value is Stripe's. In between, a way to go on is always
//! there, since what is due can be claimed.
//!
//! Promptness is judged with reconciliation off, healing with it on: it heals most broken rules in
//! the end and would hide them.
//!
//! # What is left out, and why that is sound
//!
//! - **Time.** What is due may be claimed at any moment, early or late, and a lease may run out at
//!   any moment: grace, quiet time, backoff, renewal and deadlines only choose among these. Two times
//!   count: a `Due::From` mark's, which is not reached while its call may still take effect, and
//!   `syncedAt`.
//! - **What an event says.** Only whose it is, is used: webhooks of a customer are a number.
//! - **The value.** A version: the number of the change that was read. Whether it is right is `fold`'s
//!   business, and its tests'.
//! - **What a sync reports** of the next known change: with `schedules` the entry stays, due far off,
//!   and without it goes. Both are explored. The subscription that an event named and no fetch has
//!   contained is left out, and with it the lag of Stripe's lists: a fetch sees what was announced.
//! - **Redis' scripts** are atomic, and what shares a slot fails over as one. A replica lacks any
//!   number of its shard's last writes, but no more marks than `marks_lost`, so that the counted
//!   generations stay small.
//! - **Two customers** share the workers, the queue and its counter, and nothing else; two show all
//!   that they can do to each other.
//! - **Names.** `canonical` makes one state of those that differ in names alone, or in what can have
//!   no effect; `tests/reduction.rs` checks that this loses nothing.
//!
//! # What it has found
//!
//! Each is a run in `runs::BROKEN` or `BINDING_BROKEN`, with its shortest trace. The faults are the first
//! design's; the code has the rules.
//!
//! - A counter of generations is not enough: a failover sets it back, the re-marking afterwards gets
//!   a generation that a visit from before holds, and that visit's `done` uses it up. Generations
//!   have to be random, as tickets are.
//! - A claim may not forget a `Due::From` mark whose time has come: if its sync fails, a visit that
//!   fetched before the call uses the mark up. Only `done` may.
//! - Two runs of one rebuild may not share its token: the slower one's `begin` brings a ticket back
//!   that a write has torn up, and an old list is written.
//! - Reconciliation's margin has to cover the clock of the process that wrote the value, not only
//!   that of the one which compares.
//! - An attempt that replaces somebody else than was asked for may not be used to make a customer.
//! - Not healed by any rule: an orphan, whose idempotency key Stripe has forgotten, so that only the
//!   search knows it; then a deletion in the Dashboard and a failover that loses the binding, both
//!   while two sales run.

mod action;
mod binding;
mod canonical;
mod config;
mod explore;
mod redis;
mod runs;
mod state;
mod step;

pub use action::Action;
pub use binding::{
    BINDING_BROKEN, BINDING_QUICK, BINDING_SOAK, Binding, BindingAction, BindingBroken, BindingBudget,
    BindingState, ONE_CUSTOMER, UNDISTURBED_SELLS,
};
pub use canonical::canonical;
pub use config::{Broken, Budget, Config, Kind, Shards};
pub use explore::{Explored, NEVER_BACK, Protocol, QUIET_IS_TRUE, explore};
pub use runs::{BROKEN, BrokenRun, QUICK, Run, SOAK, WITHOUT_LEASE_IDS};
pub use state::{Shard, Stage, State};
