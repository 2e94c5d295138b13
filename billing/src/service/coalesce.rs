//! Several people who wait for the same customer's sync in one process share it: a burst of any
//! length costs two fetches at most. Nobody is given a fetch that began before they came.

use std::time::Instant;

use crate::error::Error;
use crate::id::CustomerId;

use super::Synced;
use super::queues::Queues;

/// The last sync of one customer, held while somebody waits for it.
type Last = Option<(Instant, Result<Synced, Error>)>;

/// Which customers are being synced for somebody who waits.
#[derive(Default)]
pub(super) struct Coalescer {
    waiting: Queues<CustomerId, Last>,
}

impl Coalescer {
    /// The result of a sync that began after this call, by this caller or by another one.
    pub(super) async fn share(
        &self,
        customer: &CustomerId,
        sync: impl Future<Output = Result<Synced, Error>>,
    ) -> Result<Synced, Error> {
        let came = Instant::now();
        let (_place, turn) = self.waiting.join(customer);
        let mut last = turn.lock_owned().await;
        if let Some((began, result)) = last.as_ref()
            && *began >= came
        {
            return result.clone();
        }
        let began = Instant::now();
        let result = sync.await;
        *last = Some((began, result.clone()));
        result
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::ports::Written;
    use crate::subscription::Snapshot;

    fn synced(at: i64) -> Synced {
        let snapshot = Snapshot::none(at);
        Synced {
            trials: Vec::new(),
            default_card: None,
            snapshot: snapshot.clone(),
            written: Written::Accepted,
            fetched: snapshot,
            listed: Vec::new(),
            checkout: None,
        }
    }

    #[tokio::test]
    async fn a_burst_costs_two_fetches_and_nobody_gets_an_older_one() {
        let (coalescer, fetches) = (Arc::new(Coalescer::default()), Arc::new(AtomicUsize::new(0)));
        let (began, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
        let (go, going) = tokio::sync::watch::channel(false);
        let one = |number: i64| {
            let (coalescer, fetches) = (coalescer.clone(), fetches.clone());
            let (began, mut going) = (began.clone(), going.clone());
            tokio::spawn(async move {
                let fetch = async {
                    fetches.fetch_add(1, Ordering::SeqCst);
                    began.send(()).unwrap();
                    going.wait_for(|go| *go).await.unwrap();
                    Ok(synced(number))
                };
                coalescer.share(&CustomerId::parse("cus_1").unwrap(), fetch).await.unwrap().snapshot.synced_at
            })
        };
        let first = one(1);
        has_begun.recv().await.unwrap();
        let others: Vec<_> = (2..50).map(one).collect();
        tokio::task::yield_now().await;
        go.send(true).unwrap();
        assert_eq!(first.await.unwrap(), 1);
        for other in others {
            assert_ne!(other.await.unwrap(), 1, "the first fetch began before they came");
        }
        assert_eq!(fetches.load(Ordering::SeqCst), 2);
        assert!(coalescer.waiting.is_empty());
    }

    #[tokio::test]
    async fn who_is_cut_off_holds_nobody_up() {
        let coalescer = Coalescer::default();
        let customer = CustomerId::parse("cus_1").unwrap();
        let stuck = coalescer.share(&customer, std::future::pending());
        assert!(futures::FutureExt::now_or_never(stuck).is_none());
        let next = coalescer.share(&customer, async { Ok(synced(2)) }).await.unwrap();
        assert_eq!(next.snapshot.synced_at, 2);
        assert!(coalescer.waiting.is_empty());
    }
}
