//! What an app costs that has nothing to do.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use unsplit_billing::service::Settings;

use crate::support::{App, AppOptions, RedisServer, Tuning, eventually};

/// The worker's, and the one time that is not production's.
const POLL: Duration = Duration::from_millis(100);
const LOOKS: u64 = 20;

/// How often Redis has run each command since its start, and each command of a script.
async fn commands(app: &App) -> HashMap<String, u64> {
    let mut info = redis::cmd("INFO");
    let text: String = info.arg("commandstats").query_async(&mut app.redis.clone()).await.unwrap();
    let command = |line: &str| {
        let (name, numbers) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        // It is we who ask for that.
        (name != "info").then(|| (name.to_owned(), numbers.split(',').next().unwrap().parse().unwrap()))
    };
    text.lines().filter_map(command).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_app_asks_redis_for_a_handful_a_look_and_looks_no_more_often_than_it_is_told() {
    // Others would wake its worker.
    let redis = RedisServer::start();
    let billing = |settings: &mut Settings| settings.poll = POLL;
    let tuning = Tuning { billing, ..Tuning::default() };
    let app = App::with(AppOptions { redis_url: redis.url(), tuning, ..AppOptions::default() }).await;
    app.eventually_quiet().await;
    app.stripe.forget_requests().await;
    let (began, before) = (Instant::now(), commands(&app).await);
    // Each look is one script.
    let after = eventually("its worker looks", async || {
        let now = commands(&app).await;
        (now["evalsha"] >= before["evalsha"] + LOOKS).then_some(now)
    })
    .await;
    assert!(began.elapsed() >= POLL * 19, "{LOOKS} looks in {:?}", began.elapsed());
    let sum = |commands: &HashMap<String, u64>| commands.values().sum::<u64>();
    let asked = sum(&after) - sum(&before);
    // The script's own two reads are counted as well, and what asks once in a while may come in between.
    assert!(
        asked <= 6 * (after["evalsha"] - before["evalsha"]) + 20,
        "{asked}: from {before:?} to {after:?}"
    );
    assert!(app.stripe.list("/_emulator/requests").await.is_empty(), "and Stripe for nothing");
}
