import { waitUntil } from "@vercel/functions";
import { headers } from "next/headers";
import { NextResponse } from "next/server";
import { processEvent } from "../../../lib/events.js";
import { stripe } from "../../../lib/stripe.js";

/** Verifies, answers 200 whatever happened, and fetches after the answer: all as in the guide. */
export async function POST(request) {
  const body = await request.text();
  const signature = (await headers()).get("stripe-signature");
  if (!signature) return NextResponse.json({}, { status: 400 });
  try {
    const event = stripe.webhooks.constructEvent(body, signature, process.env.STRIPE_WEBHOOK_SECRET);
    waitUntil(processEvent(event));
  } catch (error) {
    console.error("webhook", error);
  }
  return NextResponse.json({ received: true });
}
