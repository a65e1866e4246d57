// The vendor's JavaScript client judges the SQS data plane: each case is a promise of the service,
// asked over a socket.
//
//     npm ci
//     mq emulator exec --clock manual -- node sqs.mjs [--list | CASE...]
//
// Where the service is comes from the variables of `mq emulator exec`. Time is moved through the
// console where the clock is manual; elsewhere short times really pass and long ones are a reason
// to skip. With MQ_BINARY, which names the `mq` whose background emulator this is, the restart is
// judged too. Any other emulator is judged through AWS_ENDPOINT_URL_SQS and credentials alone; what
// `moto` is known to do otherwise is under MOTO.
//
// The client itself compares the digests of bodies, of what is sent and of what is received, and
// throws where they differ.

import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";

import { SQS } from "@aws-sdk/client-sqs";

import {
  Background,
  MIB,
  QUERY_CODES,
  Skip,
  UNDER_WAY_SECONDS,
  clock,
  equal,
  main,
  md5,
  md5OfAttributes,
  ok,
  only,
  refused,
  seconds,
  sha256,
  sleep,
  uuid,
} from "./harness.mjs";

// Judged against moto 5.2.1, where this is known to be otherwise.
const MOTO = {
  queueAttributes: "CreatedTimestamp has a fraction",
  listByPrefixAndPage: "lists have no pages",
  tags: "a queue without tags lists an empty map",
  sendSystemAttributes: "their digest is not answered",
  sendAttributesThatAreRefused: "only their types and the characters of names are checked",
  sendBatchWithABadEntry: "an entry with a wrong attribute fails the whole batch",
  batchesThatAreRefused: "an empty batch is accepted",
  sizeLimit: "characters are counted, not bytes",
  sizeLimitCountsAttributes: "attributes are not counted",
  invalidCharacters: "they are accepted",
  missingParameters: "an empty body is accepted",
  receiveSystemAttributes: "unknown names are accepted",
  concurrentReceiversShareNothing: "receives that overlap may hand out a message twice",
  longPollIsGivenUp: "a message goes to the receiver that has left",
  visibilityThatIsRefused: "a negative time is accepted",
  visibilityOfWhatIsNotInFlight: "it is accepted",
  purgeOnceAMinute: "any purge is accepted",
  deadLetter: "DeadLetterQueueSourceArn is not shown",
  deadLetterPoliciesThatAreRefused: "a maxReceiveCount of 0 is accepted",
  redriveToTheSource: "StartMessageMoveTask is not there",
  redriveToAnotherQueue: "StartMessageMoveTask is not there",
  redriveIsCancelled: "StartMessageMoveTask is not there",
  redriveListsTheLastFirst: "StartMessageMoveTask is not there",
  redriveThatIsRefused: "StartMessageMoveTask is not there",
  fifoSequenceNumbers: "they are random",
  fifoOrderUnderRedelivery: "the first of a group that was held does not come back",
  fifoStaleReceipt: "it is accepted",
  fifoDuplicateById: "a duplicate gets an id of its own",
  fifoDuplicateByContent: "a duplicate gets an id of its own",
  fifoDuplicatesOfAGroup: "DeduplicationScope changes nothing",
  fifoReceiveAttempt: "ReceiveRequestAttemptId changes nothing",
  fifoBatch: "a duplicate gets an id of its own",
  fifoParametersThatAreRefused: "ids are not checked",
};

const cases = {};
const made = [];
const sqs = new SQS({});

const name = (word, fifo = false) => `judge-${word}-${uuid().slice(0, 13)}${fifo ? ".fifo" : ""}`;

async function queue(word = "q", Attributes = {}, fifo = false) {
  const own = fifo ? { ...Attributes, FifoQueue: "true" } : Attributes;
  const { QueueUrl } = await sqs.createQueue({ QueueName: name(word, fifo), Attributes: own });
  made.push(QueueUrl);
  return QueueUrl;
}

const fifo = (word, attributes = {}) => queue(`fifo-${word}`, attributes, true);

async function attributesOf(QueueUrl) {
  return (await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["All"] })).Attributes;
}

const arn = async (url) => (await attributesOf(url)).QueueArn;

/** Visible, in flight, delayed. */
async function counts(url) {
  const seen = await attributesOf(url);
  const names = ["Messages", "MessagesNotVisible", "MessagesDelayed"];
  return names.map((name) => Number(seen[`ApproximateNumberOf${name}`]));
}

const send = (QueueUrl, MessageBody = "x", more = {}) =>
  sqs.sendMessage({ QueueUrl, MessageBody, ...more });

const sendBatch = (QueueUrl, Entries) => sqs.sendMessageBatch({ QueueUrl, Entries });

async function receive(QueueUrl, MaxNumberOfMessages = 10, more = {}) {
  const answer = await sqs.receiveMessage({ QueueUrl, MaxNumberOfMessages, ...more });
  ok(!answer.Messages || answer.Messages.length > 0, "an empty receive has a list");
  return answer.Messages ?? [];
}

const remove = (QueueUrl, { ReceiptHandle }) => sqs.deleteMessage({ QueueUrl, ReceiptHandle });

const lease = (QueueUrl, { ReceiptHandle }, VisibilityTimeout) =>
  sqs.changeMessageVisibility({ QueueUrl, ReceiptHandle, VisibilityTimeout });

const bodies = (messages) => messages.map((message) => message.Body);
const sorted = (list) => [...list].sort();
const text = (StringValue, DataType = "String") => ({ DataType, StringValue });
const entry = (number, MessageBody = "x", more = {}) => ({ Id: `e${number}`, MessageBody, ...more });
const upTo = (number) => Array.from({ length: number }, (_, index) => index);
const all = { MessageAttributeNames: ["All"], MessageSystemAttributeNames: ["All"] };

async function deadLetterPair(maxReceiveCount, attributes = {}) {
  const dead = await queue("dead-dlq");
  const policy = { deadLetterTargetArn: await arn(dead), maxReceiveCount };
  const url = await queue("dead", { RedrivePolicy: JSON.stringify(policy), ...attributes });
  return [url, dead];
}

/** Lets messages of a queue with a maxReceiveCount of 1 be dead-lettered. */
async function kill(url, dead, wanted) {
  for (let turn = 0; turn < wanted + 2; turn += 1) {
    for (const message of await receive(url)) await lease(url, message, 0);
    if ((await counts(dead))[0] === wanted) return;
  }
  throw new Error(`${await counts(dead)} in the dead-letter queue instead of ${wanted}`);
}

// Queues.

cases.createAgain = async () => {
  const QueueName = name("create");
  const Attributes = { VisibilityTimeout: "45", DelaySeconds: "0" };
  const url = (await sqs.createQueue({ QueueName, Attributes })).QueueUrl;
  made.push(url);
  ok(url.endsWith(`/${QueueName}`), url);
  equal((await sqs.createQueue({ QueueName, Attributes })).QueueUrl, url);
  equal((await sqs.createQueue({ QueueName })).QueueUrl, url, "without attributes");
  equal((await sqs.getQueueUrl({ QueueName })).QueueUrl, url);
  const other = { QueueName, Attributes: { VisibilityTimeout: "46" } };
  await refused("QueueNameExists", () => sqs.createQueue(other));
  await refused("InvalidParameterValue", () => sqs.createQueue({ QueueName: "not a name" }));
  await refused("InvalidParameterValue", () => sqs.createQueue({ QueueName: "x".repeat(81) }));
};

cases.queueAttributes = async () => {
  const QueueUrl = await queue("attributes");
  const seen = await attributesOf(QueueUrl);
  equal(seen.VisibilityTimeout, "30");
  equal(seen.MaximumMessageSize, String(MIB));
  equal(seen.MessageRetentionPeriod, "345600");
  equal(seen.DelaySeconds, "0");
  equal(seen.ReceiveMessageWaitTimeSeconds, "0");
  ok(/^arn:aws:sqs:[a-z0-9-]+:\d{12}:judge-/.test(seen.QueueArn), seen.QueueArn);
  ok(/^\d{10}$/.test(seen.CreatedTimestamp), seen.CreatedTimestamp);
  await sqs.setQueueAttributes({ QueueUrl, Attributes: { VisibilityTimeout: "7" } });
  const one = await sqs.getQueueAttributes({ QueueUrl, AttributeNames: ["VisibilityTimeout"] });
  equal(one.Attributes, { VisibilityTimeout: "7" });
  const get = (AttributeNames) => sqs.getQueueAttributes({ QueueUrl, AttributeNames });
  const set = (Attributes) => sqs.setQueueAttributes({ QueueUrl, Attributes });
  await refused("InvalidAttributeName", () => get(["Colour"]));
  await refused("InvalidAttributeName", () => set({ Colour: "red" }));
  await refused("InvalidAttributeValue", () => set({ VisibilityTimeout: "43201" }));
};

cases.listByPrefixAndPage = async () => {
  const prefix = name("list");
  const urls = [];
  for (const number of upTo(5)) {
    urls.push((await sqs.createQueue({ QueueName: `${prefix}-${number}` })).QueueUrl);
  }
  made.push(...urls);
  const QueueNamePrefix = prefix;
  equal(sorted((await sqs.listQueues({ QueueNamePrefix })).QueueUrls), urls);
  const pages = [];
  let NextToken;
  do {
    const page = await sqs.listQueues({ QueueNamePrefix, MaxResults: 2, NextToken });
    pages.push(page.QueueUrls);
    NextToken = page.NextToken;
  } while (NextToken);
  equal(pages.map((page) => page.length), [2, 2, 1]);
  equal(sorted(pages.flat()), urls);
  const none = await sqs.listQueues({ QueueNamePrefix: name("none") });
  equal(none.QueueUrls, undefined);
};

cases.deleteQueue = async () => {
  const QueueUrl = await queue("delete");
  await send(QueueUrl);
  await sqs.deleteQueue({ QueueUrl });
  const QueueName = QueueUrl.split("/").at(-1);
  await refused("QueueDoesNotExist", () => send(QueueUrl));
  await refused("QueueDoesNotExist", () => sqs.getQueueUrl({ QueueName }));
};

cases.tags = async () => {
  const given = { team: "a", "größe": "1 m" };
  const { QueueUrl } = await sqs.createQueue({ QueueName: name("tags"), tags: given });
  made.push(QueueUrl);
  const seen = async () => (await sqs.listQueueTags({ QueueUrl })).Tags;
  equal(await seen(), given);
  await sqs.tagQueue({ QueueUrl, Tags: { team: "b", empty: "" } });
  equal(await seen(), { team: "b", "größe": "1 m", empty: "" });
  await sqs.untagQueue({ QueueUrl, TagKeys: ["team", "größe", "absent"] });
  equal(await seen(), { empty: "" });
  await sqs.untagQueue({ QueueUrl, TagKeys: ["empty"] });
  equal(await seen(), undefined, "without tags");
};

cases.permissions = async () => {
  const QueueUrl = await queue("permissions");
  const more = { Label: "senders", AWSAccountIds: ["111122223333"], Actions: ["SendMessage"] };
  await sqs.addPermission({ QueueUrl, ...more });
  const statement = only(JSON.parse((await attributesOf(QueueUrl)).Policy).Statement);
  equal([statement.Sid, statement.Effect], ["senders", "Allow"]);
  ok(JSON.stringify(statement.Principal).includes("111122223333"), JSON.stringify(statement));
  ok(/sendmessage/i.test(JSON.stringify(statement.Action)), JSON.stringify(statement));
  await refused("InvalidParameterValue", () => sqs.addPermission({ QueueUrl, ...more }));
  await sqs.removePermission({ QueueUrl, Label: "senders" });
  const left = JSON.parse((await attributesOf(QueueUrl)).Policy || "{}").Statement ?? [];
  equal(left, []);
  const again = () => sqs.removePermission({ QueueUrl, Label: "senders" });
  await refused("InvalidParameterValue", again);
};

// Sending.

cases.sendAndReceive = async () => {
  const url = await queue("send");
  const body = 'häßlich 日本 🦀 <a b="c">&amp;\t\r\n{"x": 1}';
  const sent = await send(url, body);
  equal(sent.MD5OfMessageBody, md5(body));
  equal([sent.MD5OfMessageAttributes, sent.SequenceNumber], [undefined, undefined]);
  const message = only(await receive(url));
  equal(message.MessageId, sent.MessageId);
  equal(message.Body, body);
  equal(message.MD5OfBody, md5(body));
  equal([message.Attributes, message.MessageAttributes], [undefined, undefined], "not asked for");
  equal(await receive(url), [], "in its lease");
};

const ATTRIBUTES = {
  text: text("grüße"),
  "text.own": text("a", "String.own-kind"),
  count: text("-12.50", "Number"),
  "count.own": text("7", "Number.int"),
  raw: { DataType: "Binary", BinaryValue: Uint8Array.from(upTo(256)) },
  "raw.own": { DataType: "Binary.png", BinaryValue: Uint8Array.from([0x89, 0x50, 0x4e, 0x47]) },
};

/** As they were sent: the client gives bytes as an array of its own kind. */
function plain(attributes) {
  const entries = Object.entries(attributes ?? {}).map(([key, value]) => {
    const { DataType, StringValue, BinaryValue } = value;
    const content = BinaryValue ? { BinaryValue: Uint8Array.from(BinaryValue) } : { StringValue };
    return [key, { DataType, ...content }];
  });
  return Object.fromEntries(entries);
}

cases.sendAttributesOfAllTypes = async () => {
  const url = await queue("types");
  const sent = await send(url, "hello", { MessageAttributes: ATTRIBUTES });
  equal(sent.MD5OfMessageAttributes, md5OfAttributes(ATTRIBUTES));
  const message = only(await receive(url, 10, all));
  equal(plain(message.MessageAttributes), ATTRIBUTES);
  equal(message.MD5OfMessageAttributes, md5OfAttributes(ATTRIBUTES));
  // The digest itself, against one that was worked out elsewhere.
  const three = {
    s: text("héllo", "String.custom"),
    n: text("42", "Number"),
    b: { DataType: "Binary", BinaryValue: Uint8Array.from([0, 1]) },
  };
  const answer = await send(url, "hello", { MessageAttributes: three });
  equal(answer.MD5OfMessageAttributes, "2f5b9a220c675b6e14987c5b07014d8b");
};

cases.sendSystemAttributes = async () => {
  const url = await queue("trace");
  const AWSTraceHeader = text("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1");
  const sent = await send(url, "x", { MessageSystemAttributes: { AWSTraceHeader } });
  equal(sent.MD5OfMessageSystemAttributes, md5OfAttributes({ AWSTraceHeader }));
  const asked = { MessageSystemAttributeNames: ["AWSTraceHeader"] };
  const message = only(await receive(url, 10, asked));
  equal(message.Attributes, { AWSTraceHeader: AWSTraceHeader.StringValue });
};

const manyAttributes = (number) =>
  Object.fromEntries(upTo(number).map((index) => [`a${index}`, text("1")]));

cases.sendAttributesThatAreRefused = async () => {
  const url = await queue("refused");
  const wrong = {
    "a name that starts with AWS.": { "AWS.x": text("1") },
    "a name that starts with Amazon.": { "Amazon.x": text("1") },
    "a name with two dots in a row": { "a..b": text("1") },
    "a name that ends in a dot": { "a.": text("1") },
    "a name with a space": { "a b": text("1") },
    "a name of 257 characters": { ["n".repeat(257)]: text("1") },
    "an unknown type": { a: text("1", "Colour") },
    "a number that is none": { a: text("twelve", "Number") },
    "eleven of them": manyAttributes(11),
  };
  for (const [what, MessageAttributes] of Object.entries(wrong)) {
    await refused("InvalidParameterValue", () => send(url, "x", { MessageAttributes }), what);
  }
  equal(await counts(url), [0, 0, 0]);
  const ten = manyAttributes(10);
  const sent = await send(url, "x", { MessageAttributes: ten });
  equal(sent.MD5OfMessageAttributes, md5OfAttributes(ten));
};

cases.sendBatch = async () => {
  const url = await queue("batch");
  const entries = upTo(10).map((n) => {
    return entry(n, `body ${n}`, { MessageAttributes: { n: text(String(n), "Number") } });
  });
  const answer = await sendBatch(url, entries);
  equal(answer.Failed ?? [], []);
  const done = Object.fromEntries(answer.Successful.map((item) => [item.Id, item]));
  equal(Object.keys(done).length, 10);
  for (const { Id, MessageBody, MessageAttributes } of entries) {
    equal(done[Id].MD5OfMessageBody, md5(MessageBody));
    equal(done[Id].MD5OfMessageAttributes, md5OfAttributes(MessageAttributes));
  }
  const messages = await receive(url);
  equal(sorted(bodies(messages)), upTo(10).map((n) => `body ${n}`));
  const ids = answer.Successful.map((item) => item.MessageId);
  equal(sorted(messages.map((message) => message.MessageId)), sorted(ids));
};

cases.sendBatchWithABadEntry = async () => {
  const url = await queue("batch-bad");
  const answer = await sendBatch(url, [
    entry(0, "good"),
    entry(1, "bad \ufffe"),
    entry(2, "bad", { DelaySeconds: 901 }),
    entry(3, "bad", { MessageAttributes: { a: text("1", "Colour") } }),
    entry(4, "also good"),
  ]);
  equal(answer.Successful.map((item) => item.Id), ["e0", "e4"]);
  const codes = Object.fromEntries(answer.Failed.map((item) => [item.Id, item.Code]));
  equal(codes, {
    e1: "InvalidMessageContents",
    e2: "InvalidParameterValue",
    e3: "InvalidParameterValue",
  });
  equal(answer.Failed.map((item) => item.SenderFault), [true, true, true]);
  equal(sorted(bodies(await receive(url))), ["also good", "good"]);
};

cases.batchesThatAreRefused = async () => {
  const QueueUrl = await queue("batch-refused");
  const batch = (...entries) => () => sendBatch(QueueUrl, entries);
  await refused("EmptyBatchRequest", batch());
  await refused("TooManyEntriesInBatchRequest", batch(...upTo(11).map((n) => entry(n))));
  await refused("BatchEntryIdsNotDistinct", batch(entry(1), entry(1)));
  await refused("InvalidBatchEntryId", batch({ Id: "not an id", MessageBody: "x" }));
  await refused("InvalidBatchEntryId", batch({ Id: "i".repeat(81), MessageBody: "x" }));
  await refused("BatchRequestTooLong", batch(entry(1, "a".repeat(MIB)), entry(2, "b")));
  equal(await counts(QueueUrl), [0, 0, 0], "something of a refused batch is there");
  const twice = [1, 2].map(() => ({ Id: "a", ReceiptHandle: "x" }));
  const deletes = (Entries) => () => sqs.deleteMessageBatch({ QueueUrl, Entries });
  await refused("EmptyBatchRequest", deletes([]));
  await refused("BatchEntryIdsNotDistinct", deletes(twice));
  const change = (Entries) => () => sqs.changeMessageVisibilityBatch({ QueueUrl, Entries });
  await refused("EmptyBatchRequest", change([]));
  const more = { ReceiptHandle: "x", VisibilityTimeout: 1 };
  const many = upTo(11).map((n) => ({ Id: `e${n}`, ...more }));
  await refused("TooManyEntriesInBatchRequest", change(many));
};

cases.sizeLimit = async () => {
  const url = await queue("size");
  const sent = await send(url, "a".repeat(MIB));
  equal(only(await receive(url)).MD5OfBody, sent.MD5OfMessageBody);
  await refused("InvalidParameterValue", () => send(url, "a".repeat(MIB + 1)));
  // Two bytes each.
  const wide = "ä".repeat(MIB / 2);
  await send(url, wide);
  await refused("InvalidParameterValue", () => send(url, `${wide}a`));
};

cases.sizeLimitCountsAttributes = async () => {
  const url = await queue("size-attributes");
  const more = { MessageAttributes: { key: text("value") } };
  const own = "key".length + "String".length + "value".length;
  await send(url, "a".repeat(MIB - own), more);
  await refused("InvalidParameterValue", () => send(url, "a".repeat(MIB - own + 1), more));
};

cases.sizeLimitOfTheQueue = async () => {
  const url = await queue("size-queue", { MaximumMessageSize: "1024" });
  await send(url, "a".repeat(1024));
  await refused("InvalidParameterValue", () => send(url, "a".repeat(1025)));
  equal(await counts(url), [1, 0, 0]);
};

cases.invalidCharacters = async () => {
  const url = await queue("characters");
  for (const body of ["\x00", "\x0b", "a\x1f", "\ufffe", "\uffff"]) {
    await refused("InvalidMessageContents", () => send(url, body), JSON.stringify(body));
  }
  const allowed = "\t\n\r \ud7ff\ue000\ufffd\u{10000}\u{10ffff}\x7f\x85";
  await send(url, allowed);
  equal(only(await receive(url)).Body, allowed);
};

cases.missingParameters = async () => {
  const url = await queue("missing");
  await refused("MissingParameter", () => send(url, ""));
  // This client sends what its caller has left out as not there.
  await refused("MissingParameter", () => sqs.sendMessage({ QueueUrl: url }));
  const ordered = await fifo("missing");
  await refused("MissingParameter", () => send(ordered, "x", { MessageDeduplicationId: "d" }));
};

// Receiving.

cases.receiveAtMost = async () => {
  const url = await queue("most");
  for (const start of [0, 10]) {
    await sendBatch(url, upTo(10).map((n) => entry(n, String(start + n))));
  }
  equal((await sqs.receiveMessage({ QueueUrl: url })).Messages.length, 1, "without a number");
  const got = [await receive(url, 3), await receive(url, 10), await receive(url, 10)];
  equal(got.map((messages) => messages.length), [3, 10, 6]);
  equal(new Set(bodies(got.flat())).size, 19);
  for (const number of [0, 11]) {
    await refused("InvalidParameterValue", () => receive(url, number), `${number} messages`);
  }
  const more = (its) => () => receive(url, 1, its);
  await refused("InvalidParameterValue", more({ VisibilityTimeout: 43201 }));
  await refused("InvalidParameterValue", more({ WaitTimeSeconds: 21 }));
};

cases.receiveAttributesByName = async () => {
  const url = await queue("names");
  // Whether `a.*` takes `a` and `ab` too is not documented: neither is here.
  const names = ["a.b", "a.b.c", "b", "z"];
  const given = Object.fromEntries(names.map((key) => [key, text(key)]));
  await send(url, "x", { MessageAttributes: given });
  const wanted = [
    [["z"], ["z"]],
    [["b", "absent"], ["b"]],
    [["a.*"], ["a.b", "a.b.c"]],
    [["a.*", "z"], ["a.b", "a.b.c", "z"]],
    [["All"], names],
    [[".*"], names],
    [["absent"], []],
  ];
  for (const [MessageAttributeNames, keys] of wanted) {
    const more = { VisibilityTimeout: 0, MessageAttributeNames };
    const message = only(await receive(url, 1, more));
    const some = Object.fromEntries(keys.map((key) => [key, given[key]]));
    equal(plain(message.MessageAttributes), some, String(MessageAttributeNames));
    const digest = keys.length > 0 ? md5OfAttributes(some) : undefined;
    equal(message.MD5OfMessageAttributes, digest, `digest of ${MessageAttributeNames}`);
  }
};

cases.receiveSystemAttributes = async () => {
  const url = await queue("system");
  await send(url);
  const ask = async (more) => only(await receive(url, 1, { VisibilityTimeout: 0, ...more }));
  const seen = (await ask({ MessageSystemAttributeNames: ["All"] })).Attributes;
  equal(sorted(Object.keys(seen)), [
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "SenderId",
    "SentTimestamp",
  ]);
  equal(seen.ApproximateReceiveCount, "1");
  const { SentTimestamp, ApproximateFirstReceiveTimestamp: received } = seen;
  for (const time of [SentTimestamp, received]) ok(/^\d{13}$/.test(time), `a time is ${time}`);
  ok(Number(SentTimestamp) <= Number(received), "received before it was sent");
  // The older name of the parameter still works.
  equal((await ask({ AttributeNames: ["SentTimestamp"] })).Attributes, { SentTimestamp });
  const unknown = () => ask({ MessageSystemAttributeNames: ["Colour"] });
  await refused("InvalidAttributeName", unknown);
};

cases.concurrentReceiversShareNothing = async () => {
  const url = await queue("concurrent");
  for (const start of upTo(10)) {
    await sendBatch(url, upTo(10).map((n) => entry(n, String(start * 10 + n))));
  }
  const seen = [];
  const work = async () => {
    for (let messages; (messages = await receive(url, 7)).length > 0; ) seen.push(...bodies(messages));
  };
  await Promise.all(upTo(10).map(work));
  equal(seen.map(Number).sort((a, b) => a - b), upTo(100));
  equal(await counts(url), [0, 100, 0]);
};

cases.groupOnAStandardQueue = async () => {
  const url = await queue("fair");
  for (const body of ["1", "2"]) await send(url, body, { MessageGroupId: "tenant" });
  const messages = await receive(url, 10, { MessageSystemAttributeNames: ["MessageGroupId"] });
  equal(sorted(bodies(messages)), ["1", "2"], "a group does not block here");
  equal(messages.map((message) => message.Attributes.MessageGroupId), ["tenant", "tenant"]);
};

// Leases.

cases.deleteMessage = async () => {
  const url = await queue("delete-message");
  for (const body of ["1", "2"]) await send(url, body);
  const [one, two] = await receive(url);
  await remove(url, one);
  equal(await counts(url), [0, 1, 0]);
  await remove(url, one);
  equal(await counts(url), [0, 1, 0], "deleted again");
  await lease(url, two, 0);
  equal(bodies(await receive(url)), [two.Body]);
};

cases.deleteBatch = async () => {
  const QueueUrl = await queue("delete-batch");
  await sendBatch(QueueUrl, upTo(4).map((n) => entry(n, String(n))));
  const messages = await receive(QueueUrl);
  const Entries = messages.slice(0, 3).map(({ ReceiptHandle }, n) => ({ Id: `e${n}`, ReceiptHandle }));
  Entries.push({ Id: "bad", ReceiptHandle: "garbage" });
  const answer = await sqs.deleteMessageBatch({ QueueUrl, Entries });
  equal(sorted(answer.Successful.map((item) => item.Id)), ["e0", "e1", "e2"]);
  const { Id, Code, SenderFault } = only(answer.Failed);
  equal([Id, Code, SenderFault], ["bad", "ReceiptHandleIsInvalid", true]);
  equal(await counts(QueueUrl), [0, 1, 0]);
};

cases.leaseExpiresAndCounts = async () => {
  const held = clock.few(30);
  const url = await queue("lease", { VisibilityTimeout: String(held) });
  await send(url);
  const handles = new Set();
  const firsts = new Set();
  for (const count of [1, 2, 3]) {
    const message = only(await receive(url, 10, all));
    equal(message.Attributes.ApproximateReceiveCount, String(count));
    handles.add(message.ReceiptHandle);
    firsts.add(message.Attributes.ApproximateFirstReceiveTimestamp);
    await clock.almost(held);
    equal(await receive(url), [], `before the end of lease ${count}`);
    await clock.over();
  }
  equal(handles.size, 3, "a handle for each receive");
  equal(firsts.size, 1, "one first receive");
};

cases.leaseOfTheReceive = async () => {
  const held = clock.few(100);
  const url = await queue("lease-own", { VisibilityTimeout: "1" });
  await send(url);
  only(await receive(url, 10, { VisibilityTimeout: held }));
  await clock.almost(held);
  equal(await receive(url), [], "the queue's time ended another lease");
  await clock.over();
  only(await receive(url));
};

cases.visibilityExtended = async () => {
  const short = clock.few(30);
  const long = short + 1;
  const url = await queue("extend", { VisibilityTimeout: String(short) });
  await send(url);
  const message = only(await receive(url));
  await clock.almost(short);
  await lease(url, message, long);
  await clock.almost(long);
  equal(await receive(url), [], "in the longer lease");
  await clock.over();
  equal(only(await receive(url)).MessageId, message.MessageId);
};

cases.visibilityZero = async () => {
  const url = await queue("zero");
  await send(url);
  const message = only(await receive(url));
  await lease(url, message, 0);
  equal(await counts(url), [1, 0, 0]);
  const more = { MessageSystemAttributeNames: ["ApproximateReceiveCount"] };
  const again = only(await receive(url, 10, more));
  equal(again.MessageId, message.MessageId);
  equal(again.Attributes, { ApproximateReceiveCount: "2" });
};

cases.visibilityBatch = async () => {
  const QueueUrl = await queue("visibility-batch");
  await sendBatch(QueueUrl, upTo(3).map((n) => entry(n, String(n))));
  const messages = await receive(QueueUrl);
  const times = [0, 60, 43201];
  const Entries = messages.map(({ ReceiptHandle }, n) => {
    return { Id: `e${n}`, ReceiptHandle, VisibilityTimeout: times[n] };
  });
  Entries.push({ Id: "bad", ReceiptHandle: "garbage", VisibilityTimeout: 0 });
  const answer = await sqs.changeMessageVisibilityBatch({ QueueUrl, Entries });
  equal(sorted(answer.Successful.map((item) => item.Id)), ["e0", "e1"]);
  const codes = Object.fromEntries(answer.Failed.map((item) => [item.Id, item.Code]));
  equal(codes, { e2: "InvalidParameterValue", bad: "ReceiptHandleIsInvalid" });
  equal(bodies(await receive(QueueUrl)), [messages[0].Body]);
};

cases.visibilityThatIsRefused = async () => {
  const url = await queue("visibility-refused");
  await send(url);
  const message = only(await receive(url));
  for (const time of [-1, 43201]) {
    await refused("InvalidParameterValue", () => lease(url, message, time), `${time} s`);
  }
  await refused("ReceiptHandleIsInvalid", () => lease(url, { ReceiptHandle: "garbage" }, 1));
  equal(await counts(url), [0, 1, 0]);
};

cases.visibilityAtMostTwelveHoursInAll = async () => {
  const url = await queue("twelve");
  await send(url);
  const message = only(await receive(url, 1, { VisibilityTimeout: 600 }));
  await clock.advance(60);
  await refused("InvalidParameterValue", () => lease(url, message, 43200));
  await lease(url, message, 43200 - 60);
  await clock.almost(43200 - 60);
  equal(await counts(url), [0, 1, 0]);
  await clock.over();
  equal(await counts(url), [1, 0, 0]);
};

cases.visibilityOfWhatIsNotInFlight = async () => {
  const held = clock.few(30);
  const url = await queue("not-in-flight", { VisibilityTimeout: String(held) });
  await send(url);
  const message = only(await receive(url));
  await clock.almost(held);
  await clock.over();
  await refused("MessageNotInflight", () => lease(url, message, 10));
  equal(await counts(url), [1, 0, 0]);
};

cases.staleReceipt = async () => {
  const url = await queue("stale", { VisibilityTimeout: "60" });
  await send(url);
  const old = only(await receive(url, 1, { VisibilityTimeout: 0 }));
  const fresh = only(await receive(url));
  equal(fresh.MessageId, old.MessageId);
  ok(fresh.ReceiptHandle !== old.ReceiptHandle, "one handle for two receives");
  // The service answers that it is well; the message is another receiver's by now, or gone.
  await remove(url, old);
  await remove(url, fresh);
  equal(await counts(url), [0, 0, 0]);
  await refused("ReceiptHandleIsInvalid", () => remove(url, { ReceiptHandle: "garbage" }));
};

// Waiting.

cases.longPollWakesOnASend = async () => {
  const url = await queue("wakes");
  const poll = await Background.of(() => receive(url, 10, { WaitTimeSeconds: 20 }));
  poll.waits();
  await send(url, "here");
  equal(bodies(await poll.result(3)), ["here"]);
};

cases.longPollWakesWhenALeaseEnds = async () => {
  const held = clock.few(10);
  const url = await queue("wakes-lease");
  await send(url, "here");
  only(await receive(url, 1, { VisibilityTimeout: held }));
  const poll = await Background.of(() => receive(url, 10, { WaitTimeSeconds: 20 }));
  poll.waits();
  await clock.almost(held);
  await clock.over();
  equal(bodies(await poll.result()), ["here"]);
};

cases.longPollWakesWhenADelayEnds = async () => {
  const delay = clock.few(10);
  const url = await queue("wakes-delay");
  await send(url, "here", { DelaySeconds: delay });
  const poll = await Background.of(() => receive(url, 10, { WaitTimeSeconds: 20 }));
  poll.waits();
  await clock.almost(delay);
  await clock.over();
  equal(bodies(await poll.result()), ["here"]);
};

async function emptyPoll(url, wait, more) {
  const begun = seconds();
  const poll = await Background.of(() => receive(url, 10, more));
  poll.waits();
  if (clock.manual) {
    await clock.almost(wait);
    await sleep(UNDER_WAY_SECONDS);
    poll.waits();
    await clock.over();
    equal(await poll.result(), []);
  } else {
    equal(await poll.result(), []);
    ok(seconds() - begun > wait - 0.1, "it did not wait so long");
  }
}

cases.longPollWithoutMessages = async () => {
  const wait = clock.few(20);
  await emptyPoll(await queue("empty"), wait, { WaitTimeSeconds: wait });
};

cases.longPollOfTheQueue = async () => {
  const wait = clock.few(15);
  const url = await queue("empty-queue", { ReceiveMessageWaitTimeSeconds: String(wait) });
  await emptyPoll(url, wait, {});
  const begun = seconds();
  equal(await receive(url, 10, { WaitTimeSeconds: 0 }), [], "the receive's own time");
  ok(seconds() - begun < 1.5, "it waited, asked not to");
};

cases.longPollIsGivenUp = async () => {
  const url = await queue("given-up");
  const given = new AbortController();
  const input = { QueueUrl: url, WaitTimeSeconds: 20 };
  const poll = await Background.of(() => sqs.receiveMessage(input, { abortSignal: given.signal }));
  poll.waits();
  given.abort();
  const error = await poll.result().then(() => undefined, (error) => error);
  equal(error?.name, "AbortError");
  await sleep(UNDER_WAY_SECONDS);
  // Nobody waits any more: what comes now is not handed to the receiver that has left.
  await send(url, "here");
  equal(await counts(url), [1, 0, 0]);
  equal(bodies(await receive(url)), ["here"]);
};

cases.delayOfTheMessage = async () => {
  const delay = clock.few(900);
  const url = await queue("delay");
  await send(url, "late", { DelaySeconds: delay });
  equal(await counts(url), [0, 0, 1]);
  equal(await receive(url), []);
  await clock.almost(delay);
  equal(await receive(url), [], "before its time");
  await clock.over();
  equal(await counts(url), [1, 0, 0]);
  equal(bodies(await receive(url)), ["late"]);
  await refused("InvalidParameterValue", () => send(url, "x", { DelaySeconds: 901 }));
};

cases.delayOfTheQueue = async () => {
  const delay = clock.few(60);
  const url = await queue("delay-queue", { DelaySeconds: String(delay) });
  await send(url, "late");
  await send(url, "at once", { DelaySeconds: 0 });
  equal(bodies(await receive(url)), ["at once"]);
  equal(await counts(url), [0, 1, 1]);
  await clock.almost(delay);
  ok(!bodies(await receive(url)).includes("late"), "before its time");
  await clock.over();
  ok(bodies(await receive(url)).includes("late"), "not there after its delay");
};

cases.retentionEnds = async () => {
  const times = { MessageRetentionPeriod: "60", VisibilityTimeout: "600" };
  const url = await queue("retention", times);
  await send(url, "held");
  await send(url, "kept");
  only(await receive(url, 1));
  await clock.almost(60);
  equal(await counts(url), [1, 1, 0]);
  await clock.over();
  equal(await counts(url), [0, 0, 0]);
  equal(await receive(url), []);
};

cases.countsOfAllStates = async () => {
  const url = await queue("counts");
  await sendBatch(url, upTo(6).map((n) => entry(n)));
  for (let turn = 0; turn < 3; turn += 1) await send(url, "x", { DelaySeconds: 900 });
  const held = await receive(url, 2);
  equal(held.length, 2);
  equal(await counts(url), [4, 2, 3]);
  await remove(url, held[0]);
  equal(await counts(url), [4, 1, 3]);
};

cases.purge = async () => {
  const url = await queue("purge");
  await send(url, "visible");
  await send(url, "delayed", { DelaySeconds: 900 });
  await send(url, "held");
  only(await receive(url, 1));
  await sqs.purgeQueue({ QueueUrl: url });
  equal(await counts(url), [0, 0, 0]);
  await send(url, "after");
  equal(bodies(await receive(url)), ["after"]);
};

cases.purgeOnceAMinute = async () => {
  const url = await queue("purge-minute");
  const purge = () => sqs.purgeQueue({ QueueUrl: url });
  await purge();
  await refused("PurgeQueueInProgress", purge);
  await clock.almost(60);
  await refused("PurgeQueueInProgress", purge);
  await clock.over();
  await send(url);
  await purge();
  equal(await counts(url), [0, 0, 0]);
};

// Dead letters.

cases.deadLetter = async () => {
  const [url, dead] = await deadLetterPair(2);
  const sent = await send(url, "poison", { MessageAttributes: ATTRIBUTES });
  let last;
  for (const count of [1, 2]) {
    last = only(await receive(url, 10, all));
    equal(last.Attributes.ApproximateReceiveCount, String(count));
    equal(last.Attributes.DeadLetterQueueSourceArn, undefined);
    equal(await receive(dead), [], `after ${count} receives`);
    await lease(url, last, 0);
  }
  equal(await receive(url), [], "a third time");
  equal(await counts(url), [0, 0, 0]);
  const letter = only(await receive(dead, 10, all));
  equal([letter.MessageId, letter.Body], [sent.MessageId, "poison"]);
  equal(plain(letter.MessageAttributes), ATTRIBUTES);
  equal(letter.MD5OfMessageAttributes, md5OfAttributes(ATTRIBUTES));
  equal(letter.Attributes.SentTimestamp, last.Attributes.SentTimestamp);
  equal(letter.Attributes.DeadLetterQueueSourceArn, await arn(url));
};

cases.deadLetterAfterLeasesEnd = async () => {
  const held = clock.few(30);
  const [url, dead] = await deadLetterPair(1, { VisibilityTimeout: String(held) });
  await send(url, "poison");
  only(await receive(url));
  await clock.almost(held);
  await clock.over();
  equal(await receive(url), []);
  equal(bodies(await receive(dead)), ["poison"]);
};

cases.deadLetterKeepsItsAge = async () => {
  const [url, dead] = await deadLetterPair(1);
  const Attributes = { MessageRetentionPeriod: "120" };
  await sqs.setQueueAttributes({ QueueUrl: dead, Attributes });
  await send(url, "old");
  await clock.advance(100);
  await kill(url, dead, 1);
  await clock.almost(20);
  equal(await counts(dead), [1, 0, 0]);
  await clock.over();
  equal(await counts(dead), [0, 0, 0], "its retention began when it was sent");
};

cases.deadLetterSources = async () => {
  const [url, dead] = await deadLetterPair(3);
  equal((await sqs.listDeadLetterSourceQueues({ QueueUrl: dead })).queueUrls, [url]);
  equal((await sqs.listDeadLetterSourceQueues({ QueueUrl: url })).queueUrls, []);
};

cases.deadLetterPoliciesThatAreRefused = async () => {
  const [QueueUrl, dead] = await deadLetterPair(3);
  const target = await arn(dead);
  const policy = (more) => () => {
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: target, ...more });
    return sqs.setQueueAttributes({ QueueUrl, Attributes: { RedrivePolicy } });
  };
  await refused("InvalidParameterValue", policy({ maxReceiveCount: 0 }));
  await refused("InvalidParameterValue", policy({ maxReceiveCount: 1001 }));
  await refused("InvalidParameterValue", policy({}));
  for (const wrong of [await arn(await fifo("dead")), `${target}x`]) {
    const other = policy({ maxReceiveCount: 1, deadLetterTargetArn: wrong });
    await refused("InvalidParameterValue", other, wrong);
  }
  equal(JSON.parse((await attributesOf(QueueUrl)).RedrivePolicy).maxReceiveCount, 3);
};

const tasksOf = async (dead, more = {}) =>
  (await sqs.listMessageMoveTasks({ SourceArn: await arn(dead), ...more })).Results ?? [];

/** The queue's last move task, once it moves no more. */
async function finished(dead) {
  let task;
  for (let turn = 0; turn < 100; turn += 1) {
    task = only(await tasksOf(dead));
    if (!["RUNNING", "CANCELLING"].includes(task.Status)) return task;
    await clock.advance(0.1);
  }
  throw new Error(`still ${task.Status}`);
}

const start = async (dead, more = {}) =>
  (await sqs.startMessageMoveTask({ SourceArn: await arn(dead), ...more })).TaskHandle;

cases.redriveToTheSource = async () => {
  const [url, dead] = await deadLetterPair(1);
  for (const body of ["1", "2", "3"]) await send(url, body, { MessageAttributes: { n: text(body) } });
  await kill(url, dead, 3);
  ok(await start(dead), "no handle");
  const task = await finished(dead);
  equal([task.Status, task.SourceArn], ["COMPLETED", await arn(dead)]);
  equal(task.ApproximateNumberOfMessagesMoved, 3);
  equal(task.ApproximateNumberOfMessagesToMove, 3);
  equal(task.TaskHandle, undefined, "a handle of a task that has ended");
  equal(String(task.StartedTimestamp).length, 13, "milliseconds");
  equal(await counts(dead), [0, 0, 0]);
  const back = await receive(url, 10, all);
  equal(sorted(bodies(back)), ["1", "2", "3"]);
  for (const message of back) {
    equal(plain(message.MessageAttributes), { n: text(message.Body) });
    equal(message.Attributes.ApproximateReceiveCount, "1");
  }
  equal(await tasksOf(url), []);
};

cases.redriveToAnotherQueue = async () => {
  const [url, dead] = await deadLetterPair(1);
  const other = await queue("other");
  const DestinationArn = await arn(other);
  await send(url, "1");
  await kill(url, dead, 1);
  await start(dead, { DestinationArn });
  const task = await finished(dead);
  equal([task.Status, task.DestinationArn], ["COMPLETED", DestinationArn]);
  equal(bodies(await receive(other)), ["1"]);
  equal(await counts(url), [0, 0, 0]);
};

cases.redriveIsCancelled = async () => {
  const [url, dead] = await deadLetterPair(1);
  await sendBatch(url, upTo(10).map((n) => entry(n, String(n))));
  await kill(url, dead, 10);
  const TaskHandle = await start(dead, { MaxNumberOfMessagesPerSecond: 1 });
  const running = only(await tasksOf(dead));
  equal([running.Status, running.TaskHandle], ["RUNNING", TaskHandle]);
  equal(running.MaxNumberOfMessagesPerSecond, 1);
  await refused("InvalidParameterValue", () => start(dead), "a second task");
  await clock.advance(3);
  const cancelled = await sqs.cancelMessageMoveTask({ TaskHandle });
  const moved = cancelled.ApproximateNumberOfMessagesMoved;
  ok(moved >= 1 && moved <= 5, `${moved} messages in 3 s at 1 a second`);
  const task = await finished(dead);
  equal([task.Status, task.ApproximateNumberOfMessagesMoved], ["CANCELLED", moved]);
  await clock.advance(3);
  equal([(await counts(url))[0], (await counts(dead))[0]], [moved, 10 - moved], "here and there");
  const again = () => sqs.cancelMessageMoveTask({ TaskHandle });
  await refused("ResourceNotFoundException", again);
};

cases.redriveListsTheLastFirst = async () => {
  const [, dead] = await deadLetterPair(1);
  for (let turn = 0; turn < 3; turn += 1) {
    await start(dead);
    await finished(dead);
    await clock.advance(0.01);
  }
  const tasks = await tasksOf(dead, { MaxResults: 10 });
  equal(tasks.map((task) => task.Status), ["COMPLETED", "COMPLETED", "COMPLETED"]);
  const times = tasks.map((task) => task.StartedTimestamp);
  equal(times, [...times].sort((a, b) => b - a));
  equal((await tasksOf(dead, { MaxResults: 2 })).length, 2);
  await refused("InvalidParameterValue", () => tasksOf(dead, { MaxResults: 11 }));
};

cases.redriveThatIsRefused = async () => {
  const url = await queue("not-dead");
  await refused("InvalidParameterValue", () => start(url), "no dead-letter queue");
  const SourceArn = `${await arn(url)}-absent`;
  await refused("ResourceNotFoundException", () => sqs.startMessageMoveTask({ SourceArn }));
  await refused("ResourceNotFoundException", () => sqs.listMessageMoveTasks({ SourceArn }));
  const [, dead] = await deadLetterPair(1);
  const fast = { MaxNumberOfMessagesPerSecond: 501 };
  await refused("InvalidParameterValue", () => start(dead, fast));
};

// FIFO queues.

async function ordered(url, MessageGroupId, ...all) {
  const sent = [];
  for (const body of all) {
    sent.push(await send(url, body, { MessageGroupId, MessageDeduplicationId: uuid() }));
  }
  return sent;
}

cases.fifoSequenceNumbers = async () => {
  const url = await fifo("sequence");
  const sent = [...(await ordered(url, "g", "1", "2", "3")), ...(await ordered(url, "h", "4"))];
  const numbers = sent.map((answer) => answer.SequenceNumber);
  for (const number of numbers) ok(/^\d{20}$/.test(number), number);
  equal(numbers, sorted(new Set(numbers)));
  const messages = await receive(url, 10, all);
  const seen = Object.fromEntries(messages.map((message) => [message.Body, message.Attributes]));
  const inOrder = (attribute) => ["1", "2", "3", "4"].map((body) => seen[body][attribute]);
  equal(inOrder("SequenceNumber"), numbers);
  equal(inOrder("MessageGroupId"), ["g", "g", "g", "h"]);
  equal(new Set(inOrder("MessageDeduplicationId")).size, 4);
};

cases.fifoGroupIsBlockedInFlight = async () => {
  const url = await fifo("blocked", { VisibilityTimeout: "60" });
  await ordered(url, "a", "a1", "a2", "a3");
  await ordered(url, "b", "b1");
  const first = only(await receive(url, 1));
  equal(first.Body, "a1");
  equal(bodies(await receive(url)), ["b1"], "beside a group that is held");
  equal(await receive(url), [], "both groups are held");
  await remove(url, first);
  const [two, three] = await receive(url);
  equal(bodies([two, three]), ["a2", "a3"]);
  await ordered(url, "a", "a4");
  await remove(url, two);
  equal(await receive(url), [], "the third is still in flight");
  await remove(url, three);
  equal(bodies(await receive(url)), ["a4"]);
};

cases.fifoOrderUnderRedelivery = async () => {
  const held = clock.few(30);
  const url = await fifo("redelivery", { VisibilityTimeout: String(held) });
  await ordered(url, "a", "a1", "a2", "a3");
  equal(bodies(await receive(url, 2)), ["a1", "a2"]);
  await clock.almost(held);
  equal(await receive(url), []);
  await clock.over();
  const again = await receive(url, 10, { ...all, VisibilityTimeout: 600 });
  equal(bodies(again), ["a1", "a2", "a3"]);
  equal(again.map((message) => message.Attributes.ApproximateReceiveCount), ["2", "2", "1"]);
  await remove(url, again[0]);
  await lease(url, again[2], 0);
  equal(await receive(url), [], "the second is in flight: the third does not pass it");
  await lease(url, again[1], 0);
  equal(bodies(await receive(url)), ["a2", "a3"]);
};

cases.fifoStaleReceipt = async () => {
  const held = clock.few(30);
  const url = await fifo("stale", { VisibilityTimeout: String(held) });
  await ordered(url, "a", "a1");
  const message = only(await receive(url));
  await clock.almost(held);
  await clock.over();
  await refused("InvalidParameterValue", () => remove(url, message));
  equal(await counts(url), [1, 0, 0]);
};

cases.fifoDuplicateById = async () => {
  const url = await fifo("dedup-id");
  const own = (id) => ({ MessageGroupId: "g", MessageDeduplicationId: id });
  const first = await send(url, "one", own("d"));
  const second = await send(url, "two", own("d"));
  equal(second.MessageId, first.MessageId);
  equal(second.SequenceNumber, first.SequenceNumber);
  const message = only(await receive(url));
  equal(message.Body, "one");
  await remove(url, message);
  await send(url, "three", own("d"));
  equal(await receive(url), [], "a duplicate of what is deleted");
  await send(url, "four", own("e"));
  equal(bodies(await receive(url)), ["four"]);
};

cases.fifoDuplicateByContent = async () => {
  const url = await fifo("dedup-content", { ContentBasedDeduplication: "true" });
  const MessageGroupId = "g";
  const first = await send(url, "same", { MessageGroupId });
  const other = { a: text("not a part of the content") };
  const second = await send(url, "same", { MessageGroupId, MessageAttributes: other });
  equal(second.MessageId, first.MessageId);
  await send(url, "same", { MessageGroupId, MessageDeduplicationId: "own" });
  await send(url, "different", { MessageGroupId });
  const messages = await receive(url, 10, all);
  equal(bodies(messages), ["same", "same", "different"]);
  equal(messages[0].Attributes.MessageDeduplicationId, sha256("same"));
};

cases.fifoDuplicatesEndAfterFiveMinutes = async () => {
  const own = { ContentBasedDeduplication: "true", VisibilityTimeout: "0" };
  const url = await fifo("dedup-window", own);
  const id = async (body, more = {}) =>
    (await send(url, body, { MessageGroupId: "g", ...more })).MessageId;
  const byId = { MessageDeduplicationId: "d" };
  const first = await id("one", byId);
  const content = await id("content");
  await clock.almost(300);
  equal(await id("two", byId), first, "inside");
  equal(await id("content"), content, "inside");
  await clock.over();
  await clock.over();
  ok((await id("three", byId)) !== first, "a duplicate after five minutes");
  ok((await id("content")) !== content, "a duplicate after five minutes");
  equal(bodies(await receive(url)), ["one", "content", "three", "content"]);
};

cases.fifoDuplicatesOfAGroup = async () => {
  const url = await fifo("dedup-group", {
    DeduplicationScope: "messageGroup",
    FifoThroughputLimit: "perMessageGroupId",
  });
  for (const group of ["g", "h", "g"]) {
    await send(url, group, { MessageGroupId: group, MessageDeduplicationId: "d" });
  }
  equal(sorted(bodies(await receive(url))), ["g", "h"]);
};

cases.fifoReceiveAttempt = async () => {
  const url = await fifo("attempt", { VisibilityTimeout: "60" });
  await ordered(url, "a", "a1", "a2");
  await ordered(url, "b", "b1");
  const attempt = (ReceiveRequestAttemptId) => receive(url, 2, { ReceiveRequestAttemptId });
  equal(bodies(await attempt("try")), ["a1", "a2"]);
  const again = await attempt("try");
  equal(bodies(again), ["a1", "a2"], "the same attempt");
  equal(bodies(await attempt("other")), ["b1"]);
  for (const message of again) await remove(url, message);
  equal(await counts(url), [0, 1, 0]);
};

cases.fifoDeadLetterKeepsOrder = async () => {
  const dead = await fifo("dead-dlq");
  const policy = { deadLetterTargetArn: await arn(dead), maxReceiveCount: 1 };
  const url = await fifo("dead", { RedrivePolicy: JSON.stringify(policy) });
  await ordered(url, "a", "a1", "a2", "a3");
  for (const message of await receive(url, 2)) await lease(url, message, 0);
  equal(bodies(await receive(url)), ["a3"]);
  const letters = await receive(dead, 10, all);
  equal(bodies(letters), ["a1", "a2"]);
  equal(letters.map((letter) => letter.Attributes.MessageGroupId), ["a", "a"]);
};

cases.fifoBatch = async () => {
  const url = await fifo("batch");
  const entries = upTo(10).map((n) => {
    const own = { MessageGroupId: "g", MessageDeduplicationId: `d${Math.min(n, 8)}` };
    return entry(n, String(n), own);
  });
  const answer = await sendBatch(url, entries);
  equal(answer.Successful.length, 10);
  const ids = Object.fromEntries(answer.Successful.map((item) => [item.Id, item.MessageId]));
  equal(ids.e9, ids.e8, "a duplicate in one batch");
  equal(bodies(await receive(url)), upTo(9).map(String));
};

cases.fifoParametersThatAreRefused = async () => {
  const url = await fifo("refused");
  const standard = await queue("refused");
  const MessageDeduplicationId = "d";
  const wrong = [
    [url, { MessageGroupId: "g" }],
    [url, { MessageGroupId: "g", MessageDeduplicationId, DelaySeconds: 5 }],
    [url, { MessageGroupId: "g".repeat(129), MessageDeduplicationId }],
    [url, { MessageGroupId: "g g", MessageDeduplicationId }],
    [standard, { MessageDeduplicationId }],
  ];
  for (const [to, more] of wrong) {
    await refused("InvalidParameterValue", () => send(to, "x", more), JSON.stringify(more));
  }
  equal(await counts(url), [0, 0, 0]);
};

// Errors, and the connection.

cases.aQueueThatIsNotThere = async () => {
  const QueueUrl = `${await queue("absent")}-absent`;
  const handle = { ReceiptHandle: "x" };
  const calls = {
    sendMessage: { MessageBody: "x" },
    sendMessageBatch: { Entries: [entry(1)] },
    receiveMessage: {},
    deleteMessage: handle,
    deleteMessageBatch: { Entries: [{ Id: "a", ...handle }] },
    changeMessageVisibility: { VisibilityTimeout: 1, ...handle },
    changeMessageVisibilityBatch: { Entries: [{ Id: "a", VisibilityTimeout: 1, ...handle }] },
    purgeQueue: {},
    getQueueAttributes: { AttributeNames: ["All"] },
    setQueueAttributes: { Attributes: { DelaySeconds: "1" } },
    listQueueTags: {},
    tagQueue: { Tags: { a: "b" } },
    untagQueue: { TagKeys: ["a"] },
    listDeadLetterSourceQueues: {},
    deleteQueue: {},
  };
  for (const [action, more] of Object.entries(calls)) {
    await refused("QueueDoesNotExist", () => sqs[action]({ QueueUrl, ...more }), action);
  }
};

cases.reconnectAfterARestart = async () => {
  const binary = process.env.MQ_BINARY;
  if (!binary) throw new Skip("MQ_BINARY names no `mq` whose background emulator may be restarted");
  const mq = (...of) => execFileSync(binary, ["emulator", ...of], { stdio: "ignore" });
  const url = await queue("restart");
  await send(url, "before");
  const other = await queue("restart-poll");
  const poll = await Background.of(() => receive(other, 1, { WaitTimeSeconds: 20 }));
  poll.waits();
  const port = new URL(process.env.AWS_ENDPOINT_URL_SQS).port;
  mq("stop");
  mq("start", "--clock", "manual", "--port", `sqs=${port}`);
  // The poll was ended by the stop, or its client has asked the new server, which has no queue.
  try {
    equal(await poll.result(), []);
  } catch (error) {
    equal(error.Error?.Code, QUERY_CODES.QueueDoesNotExist, error.message);
  }
  // The same client, whose connections are dead: what was in memory is gone, all else works.
  await refused("QueueDoesNotExist", () => send(url));
  made.length = 0;
  const QueueName = url.split("/").at(-1);
  const again = (await sqs.createQueue({ QueueName })).QueueUrl;
  made.push(again);
  equal(again, url);
  await send(url, "after");
  equal(bodies(await receive(url)), ["after"]);
};

async function cleanUp() {
  while (made.length > 0) {
    // A queue that the case has deleted is not there.
    await sqs.deleteQueue({ QueueUrl: made.pop() }).catch(() => {});
  }
}

const { version } = createRequire(import.meta.url)("@aws-sdk/client-sqs/package.json");
process.exitCode = await main(`@aws-sdk/client-sqs ${version}`, cases, MOTO, cleanUp);
sqs.destroy();
