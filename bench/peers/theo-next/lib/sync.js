import { kv } from "./kv.js";
import { stripe } from "./stripe.js";

/** Fetches a customer's newest subscription and writes it to the KV, as the guide's function does. */
export async function syncStripeDataToKV(customer) {
  const listed = await stripe.subscriptions.list({
    customer,
    status: "all",
    limit: 1,
    expand: ["data.default_payment_method"],
  });
  const [newest] = listed.data;
  const value = newest ? shown(newest) : { status: "none" };
  await kv.set(`stripe:customer:${customer}`, value);
  return value;
}

// The guide reads the period from the subscription; today's API has it on the item.
function shown(subscription) {
  const [item] = subscription.items.data;
  const method = subscription.default_payment_method;
  const card = method && typeof method !== "string" ? method.card : undefined;
  return {
    subscriptionId: subscription.id,
    status: subscription.status,
    priceId: item.price.id,
    currentPeriodStart: item.current_period_start,
    currentPeriodEnd: item.current_period_end,
    cancelAtPeriodEnd: subscription.cancel_at_period_end,
    paymentMethod: card ? { brand: card.brand ?? null, last4: card.last4 ?? null } : null,
  };
}
