// What the cases are run with: names, the service's time, digests, and the line for each case.

import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import * as sdk from "@aws-sdk/client-sqs";

export const MIB = 1024 * 1024;
// What may really pass where the clock cannot be moved.
const PATIENCE_SECONDS = 6;
// By when an answer that nothing holds back must be there.
const SOON_SECONDS = 10;
// A request that was begun this long ago has reached the server.
export const UNDER_WAY_SECONDS = 0.7;

// The codes of the Query protocol, by which applications still match, where they are not the
// exception's own name.
export const QUERY_CODES = {
  QueueDoesNotExist: "AWS.SimpleQueueService.NonExistentQueue",
  QueueNameExists: "QueueAlreadyExists",
};
for (const name of [
  "BatchEntryIdsNotDistinct",
  "BatchRequestTooLong",
  "EmptyBatchRequest",
  "InvalidBatchEntryId",
  "MessageNotInflight",
  "PurgeQueueInProgress",
  "QueueDeletedRecently",
  "TooManyEntriesInBatchRequest",
  "UnsupportedOperation",
]) {
  QUERY_CODES[name] = `AWS.SimpleQueueService.${name}`;
}

/** The case cannot be judged here, and why. */
export class Skip extends Error {}

export const sleep = (seconds) => pause(seconds * 1000);

export const seconds = () => performance.now() / 1000;

/** The service's time: moved where it is manual, waited for where it is not. */
class Clock {
  constructor() {
    this.console = process.env.MQ_EMULATOR_CONSOLE;
    const state = process.env.MQ_EMULATOR_STATE;
    const file = state && join(state, "emulator.json");
    const discovery = file && existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
    this.token = discovery.token;
    this.manual = Boolean(this.console) && discovery.clock === "manual";
  }

  async advance(by) {
    if (!this.manual) {
      if (by > PATIENCE_SECONDS) {
        throw new Skip(`${by} s would really have to pass: the clock is not manual`);
      }
      return sleep(by);
    }
    const answer = await fetch(`${this.console}/advance`, {
      method: "POST",
      headers: { "x-mq-emulator-token": this.token },
      body: JSON.stringify({ milliseconds: Math.round(by * 1000) }),
    });
    assert.equal(answer.status, 200, await answer.text());
  }

  /** Until just before a moment that is so far away; `over` passes it. */
  almost(by) {
    return this.advance(by - (this.manual ? 0.001 : 1));
  }

  over() {
    return this.advance(this.manual ? 0.001 : 1.2);
  }

  /** So many seconds where they cost nothing, two where they would really pass. */
  few(by) {
    return this.manual ? by : 2;
  }
}

export const clock = new Clock();

export const uuid = randomUUID;

const hex = (kind, text) => createHash(kind).update(text).digest("hex");
export const md5 = (text) => hex("md5", text);
export const sha256 = (text) => hex("sha256", text);

/** The vendor's digest of message attributes, worked out from its documentation. */
export function md5OfAttributes(attributes) {
  const digest = createHash("md5");
  const part = (bytes) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    digest.update(length).update(bytes);
  };
  for (const key of Object.keys(attributes).sort()) {
    const { DataType, StringValue, BinaryValue } = attributes[key];
    const binary = DataType.startsWith("Binary");
    part(Buffer.from(key));
    part(Buffer.from(DataType));
    digest.update(Buffer.from([binary ? 2 : 1]));
    part(Buffer.from(binary ? BinaryValue : StringValue));
  }
  return digest.digest("hex");
}

export function equal(seen, wanted, what = "") {
  try {
    assert.deepEqual(seen, wanted);
  } catch {
    const shown = [seen, wanted].map((it) => JSON.stringify(it)?.slice(0, 250));
    throw new Error(`${what ? `${what}: ` : ""}${shown[0]} instead of ${shown[1]}`);
  }
}

export function ok(holds, what) {
  if (!holds) throw new Error(what);
}

export function only(list) {
  equal(list?.length, 1, "length");
  return list[0];
}

/** The call is refused as this exception, and by the code of the older protocol too. */
export async function refused(shape, call, what = shape) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    equal(error.Error?.Code, QUERY_CODES[shape] ?? shape, `${what}: ${error.message}`);
    ok(error.message && error.message !== "UnknownError", `${what}: an error without a message`);
    // Those that the SDK has a class for.
    ok(!sdk[shape] || error instanceof sdk[shape], `${what}: ${error.name} is not ${shape}`);
    equal(error.$fault, "client", `${what}: whose fault`);
    return;
  }
  throw new Error(`${what}: not refused as ${shape}: ${JSON.stringify(answer).slice(0, 300)}`);
}

/** A call beside the others: what it answered, and that it was not answered yet. */
export class Background {
  static async of(call) {
    const it = new Background();
    it.done = false;
    it.promise = call().finally(() => (it.done = true));
    it.promise.catch(() => {}); // shown where it is asked for
    await sleep(UNDER_WAY_SECONDS);
    return it;
  }

  waits() {
    ok(!this.done, "answered already");
  }

  async result(within = SOON_SECONDS) {
    const late = new AbortController();
    const timer = pause(within * 1000, null, { signal: late.signal }).then(() => {
      throw new Error(`no answer in ${within} s`);
    });
    timer.catch(() => {});
    try {
      return await Promise.race([this.promise, timer]);
    } finally {
      late.abort();
    }
  }
}

async function againstMoto() {
  const server = await fetch(process.env.AWS_ENDPOINT_URL_SQS).then((it) => it.headers.get("server"));
  return Boolean(server?.startsWith("Werkzeug"));
}

async function judge(title, run, otherwise, cleanUp) {
  let end = "ok";
  let why = "";
  try {
    if (otherwise) throw new Skip(`moto: ${otherwise}`);
    await run();
  } catch (error) {
    end = error instanceof Skip ? "skipped" : "FAILED";
    const kind = error instanceof Skip ? "" : `${error.name}: `;
    why = `: ${kind}${error.message.replace(/\s+/g, " ").slice(0, 600)}`;
  }
  await cleanUp();
  console.log(`${end} ${title}${why}`);
  return end;
}

/** Runs the cases that the arguments name, or all, and ends the process. */
export async function main(judgeName, cases, moto, cleanUp) {
  const wanted = process.argv.slice(2);
  if (wanted.length === 1 && wanted[0] === "--list") {
    console.log(Object.keys(cases).join("\n"));
    return 0;
  }
  const unknown = wanted.filter((title) => !Object.hasOwn(cases, title));
  if (unknown.length > 0) {
    console.error(`no such case: ${unknown.join(", ")}`);
    return 64;
  }
  const skips = !("MQ_JUDGE_MOTO_TOO" in process.env) && (await againstMoto()) ? moto : {};
  const ends = { ok: 0, FAILED: 0, skipped: 0 };
  for (const title of wanted.length > 0 ? wanted : Object.keys(cases)) {
    ends[await judge(title, cases[title], skips[title], cleanUp)] += 1;
  }
  const numbers = Object.entries(ends).map(([end, number]) => `${number} ${end}`);
  console.log(`${judgeName}: ${numbers.join(", ")}`);
  return ends.FAILED > 0 ? 1 : 0;
}
