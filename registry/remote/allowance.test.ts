import { DateTime } from "luxon";
import { pauseFor } from "./allowance.ts";

const moment = DateTime.fromISO("2026-01-01T00:00:00Z");
const now = moment.toSeconds();

test.each([
  { headers: {}, pause: undefined, because: "it says nothing" },
  {
    headers: { "ratelimit-remaining": "many" },
    pause: undefined,
    because: "it says nothing that we can read",
  },
  {
    headers: { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600" },
    pause: undefined,
    because: "Docker Hub allows enough",
  },
  {
    headers: { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "9;w=21600" },
    pause: 60,
    because: "a tenth is kept for others, at a request a minute",
  },
  {
    headers: { "ratelimit-limit": "600;w=60", "ratelimit-remaining": "30;w=60" },
    pause: 2,
    because: "what is left reaches until the window is over",
  },
  { headers: { "ratelimit-remaining": "0;w=21600" }, pause: 21_600, because: "nothing is left" },
  {
    headers: { "ratelimit-limit": "60", "ratelimit-remaining": "4", "ratelimit-reset": "20" },
    pause: 5,
    because: "it is reset in seconds",
  },
  {
    headers: {
      "x-ratelimit-limit": "60",
      "x-ratelimit-remaining": "4",
      "x-ratelimit-reset": String(now + 20),
    },
    pause: 5,
    because: "it is reset at a moment",
  },
  {
    headers: {
      "x-ratelimit-limit": "60",
      "x-ratelimit-remaining": "4",
      "x-ratelimit-reset": String(now - 99),
    },
    pause: 0.25,
    because: "a moment in the past, by a clock that is wrong, is soon",
  },
  {
    headers: {
      date: "Mon, 01 Jan 2029 00:00:00 GMT",
      "x-ratelimit-limit": "60",
      "x-ratelimit-remaining": "4",
      "x-ratelimit-reset": String(DateTime.fromISO("2029-01-01T00:00:20Z").toSeconds()),
    },
    pause: 5,
    because: "a moment counts from the clock that the peer shows (T58)",
  },
  {
    headers: { ratelimit: '"default";r=3;t=30', "ratelimit-policy": '"default";q=100;w=60' },
    pause: 10,
    because: "the newest draft has it in one",
  },
  { headers: { ratelimit: '"default";r=50;t=30' }, pause: undefined, because: "there is enough" },
  {
    headers: { "x-ms-ratelimit-remaining-calls-per-second": "8.000000" },
    pause: undefined,
    because: "ACR has enough",
  },
  {
    headers: { "x-ms-ratelimit-remaining-calls-per-second": "0.5" },
    pause: 1,
    because: "ACR has none this second",
  },
])("T35 waits for $pause s: $because", ({ headers, pause }) => {
  expect(pauseFor(headers, moment)?.as("seconds")).toBe(pause);
});
