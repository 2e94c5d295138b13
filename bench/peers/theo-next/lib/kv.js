import Redis from "ioredis";

// lazyConnect: `next build` imports this file too.
const redis = new Redis(process.env.REDIS_URL ?? "redis://127.0.0.1:6379", { lazyConnect: true });

export const kv = {
  get: (key) => redis.get(key),
  set: (key, value) => redis.set(key, typeof value === "string" ? value : JSON.stringify(value)),
};
