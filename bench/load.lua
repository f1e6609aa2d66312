-- What wrk sends: each request to an account chosen at random, the share KEYED of them with a fresh Idempotency-Key.
-- Everything but the key is written once, so that the generator costs the server's cores alike in every cell.
local accounts = tonumber(os.getenv("ACCOUNTS"))
local first = tonumber(os.getenv("FIRST"))
local keyed = tonumber(os.getenv("KEYED"))
local run = tonumber(os.getenv("RUN"))
local body = os.getenv("BODY")
local pairs_wanted = os.getenv("PAIRS") == "1"

local heads = {}
local tail = "\r\n"
local count = 0
local random = math.random

local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("thread", threads)
end

function init()
  math.randomseed(run * 100 + thread)
  for i = 1, accounts do
    local path = string.format("/accounts/%.0f/%s", first + i - 1, os.getenv("ACTION"))
    heads[i] = string.format("%s %s HTTP/1.1\r\nHost: %s\r\n", os.getenv("METHOD"), path, wrk.headers["Host"])
  end
  if body ~= "" then
    tail = string.format("Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", #body, body)
  end
end

-- As long as a UUID and random in front, as clients' keys are; run, thread and count make it unique.
local function key()
  count = count + 1
  return string.format("%08x-%04x-%04x-%04x-%012x", random(0, 2^31 - 1), random(0, 65535), run, thread, count)
end

-- A transfer of one cent between two accounts.
local function transfer()
  local from = random(0, accounts - 1)
  local to = (from + random(1, accounts - 1)) % accounts
  local sides = string.format('{"from":"%.0f","to":"%.0f","amount":1,"currency":"USD"}', first + from, first + to)
  return string.format(
    "POST /v1/transfers HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
    wrk.headers["Host"], #sides, sides)
end

function request()
  if pairs_wanted then return transfer() end
  local head = heads[random(accounts)]
  if keyed == 0 or random() >= keyed then return head .. tail end
  return head .. "Idempotency-Key: " .. key() .. "\r\n" .. tail
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%.0f,"seconds":%.6f,"errors":%.0f,"p50Ms":%.3f,"p99Ms":%.3f,"p999Ms":%.3f}\n',
    summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency:percentile(99.9) / 1000))
end
