// Which of Stripe's objects and endpoints the schemas are about: those of subscriptions. To widen it, add a file
// of node_modules/stripe-endive/esm/resources here. Nothing else names them.

/** Files of the package's `esm/resources`, whose objects and endpoints are in scope. */
export const RESOURCES = [
  'Accounts',
  'BillingPortal/Configurations',
  'BillingPortal/Sessions',
  'Charges',
  'Checkout/Sessions',
  'Coupons',
  'CustomerBalanceTransactions',
  'Customers',
  'Discounts',
  'Events',
  'InvoiceItems',
  'InvoiceLineItems',
  'InvoicePayments',
  'Invoices',
  'LineItems',
  'PaymentIntents',
  'PaymentMethods',
  'Plans',
  'Prices',
  'Products',
  'PromotionCodes',
  'Refunds',
  'SetupAttempts',
  'SetupIntents',
  'SubscriptionItems',
  'SubscriptionSchedules',
  'Subscriptions',
  'TaxIds',
  'TestHelpers/TestClocks',
  'WebhookEndpoints',
];

/** Payment methods that are not cards are out of scope: their optional fields are left out, hence refused. */
export const KEPT_PAYMENT_METHODS = ['card'];

/** Fields of an account that are about Connect, identity and payouts, left out for size. */
export const LEFT_OUT = { Account: ['company', 'future_requirements', 'individual', 'requirements'] };

/** Interfaces without fields that stand for any object. What an event is about is in `events`. */
export const ANY_OBJECT = ['Event.Data.Object', 'Event.Data.PreviousAttributes'];
