import { syncStripeDataToKV } from "./sync.js";

/** The types that the guide lists; any other costs no fetch. */
const tracked = new Set([
  "checkout.session.completed",
  ...["created", "updated", "deleted", "paused", "resumed"].map((it) => `customer.subscription.${it}`),
  ...["pending_update_applied", "pending_update_expired", "trial_will_end"].map((it) => `customer.subscription.${it}`),
  ...["paid", "payment_failed", "payment_action_required", "upcoming"].map((it) => `invoice.${it}`),
  ...["marked_uncollectible", "payment_succeeded"].map((it) => `invoice.${it}`),
  ...["succeeded", "payment_failed", "canceled"].map((it) => `payment_intent.${it}`),
]);

/** One fetch per tracked event. */
export async function processEvent(event) {
  if (!tracked.has(event.type)) return;
  const { customer } = event.data.object;
  if (typeof customer !== "string") throw new Error(`${event.type}: the customer is no string`);
  await syncStripeDataToKV(customer);
}
