//! A process that is killed while it waits. It has a runtime of its own, which says whenever nothing
//! in it can go on without the outside: at each of these moments a kill can find it, and at no other
//! one would the world see a difference.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::runtime::Builder;
use tokio::sync::Notify;
use unsplit::server::config::Config;
use unsplit::server::run::{open_billing, read_catalog};
use unsplit_billing::service::Billing;

use super::scene::swift;

/// When a process dies: in its `wait`-th wait, counted from one.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    wait: u32,
    /// What was waited for has come, and nobody will read it.
    answered: bool,
}

impl Cut {
    /// All there are, in the order in which a run comes to them.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..).flat_map(|wait| [false, true].map(|answered| Self { wait, answered }))
    }
}

/// Counts the waits of a process, once it is at the work that is to be cut.
struct Fate {
    cut: Cut,
    /// Zero before the work begins, and then one more than the waits so far.
    waits: AtomicU32,
    dies: Notify,
}

impl Fate {
    fn begins(&self) {
        self.waits.store(1, Ordering::SeqCst);
    }

    fn waits(&self) {
        let working = self.waits.load(Ordering::SeqCst) > 0;
        if working && self.waits.fetch_add(1, Ordering::SeqCst) == self.cut.wait && !self.cut.answered {
            self.dies.notify_one();
        }
    }

    fn wakes(&self) {
        if self.cut.answered && self.waits.load(Ordering::SeqCst) == self.cut.wait + 1 {
            self.dies.notify_one();
        }
    }
}

/// Does the work in a process that dies at this cut, with everything that it has started and each of
/// its connections. `None` where it died, and what came of the work where it ended before.
pub async fn work_until<T, F>(
    cut: Cut,
    config: &Config,
    work: impl FnOnce(Arc<Billing>) -> F + Send + 'static,
) -> Option<T>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let config = config.clone();
    let life = move || {
        let fate = Arc::new(Fate { cut, waits: AtomicU32::new(0), dies: Notify::new() });
        let (waiting, waking) = (fate.clone(), fate.clone());
        let mut runtime = Builder::new_current_thread();
        runtime.enable_all().on_thread_park(move || waiting.waits()).on_thread_unpark(move || waking.wakes());
        let runtime = runtime.build().unwrap();
        let outcome = runtime.block_on(async {
            let billing = open_billing(&config, read_catalog().unwrap(), &swift()).await.unwrap().0;
            fate.begins();
            tokio::select! {
                biased;
                () = fate.dies.notified() => None,
                done = work(billing) => Some(done),
            }
        });
        runtime.shutdown_background();
        outcome
    };
    tokio::task::spawn_blocking(life).await.unwrap()
}
