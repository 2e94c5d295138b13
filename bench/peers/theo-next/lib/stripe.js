import Stripe from "stripe";

// Stripe's own library, on the address of the emulator.
const base = new URL(process.env.STRIPE_API_BASE ?? "https://api.stripe.com");

export const stripe = new Stripe(process.env.STRIPE_SECRET_KEY ?? "sk_test_unset", {
  host: base.hostname,
  port: base.port || undefined,
  protocol: base.protocol.replace(":", ""),
  // The version that the emulator speaks.
  apiVersion: "2026-09-30.endive",
});
