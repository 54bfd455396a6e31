-- Posts the bodies of a file, one a line, in turn, and looks at every answer.
-- Arguments: the file, a text that every good answer has, the number of this run.
-- In a body @N@ becomes the number of the request and @W@ a word of letters that no other request has.

local bodies, marker, run = {}, nil, 0
local asked = 0
local consonants, vowels = "bcdfghklmnprstvwz", "aeiou"
answered, bad, worst = 0, 0, ""
local threads = {}

function setup(thread) table.insert(threads, thread) end

local function word(number)
  local parts = {}
  repeat
    local c, v = number % 17, math.floor(number / 17) % 5
    number = math.floor(number / 85)
    parts[#parts + 1] = consonants:sub(c + 1, c + 1) .. vowels:sub(v + 1, v + 1)
  until number == 0
  return table.concat(parts)
end

-- A body as its pieces: texts, and the names of what stands between them.
local function pieces(line)
  local found, from = {}, 1
  while true do
    local start, stop, name = line:find("@([NW])@", from)
    if not start then break end
    found[#found + 1] = line:sub(from, start - 1)
    found[#found + 1] = name
    from = stop + 1
  end
  found[#found + 1] = line:sub(from)
  return found
end

local function filled(found)
  local number = string.format("%d-%d", run, asked)
  local name = word(run * 10000000 + asked)
  local texts = {}
  for place = 1, #found do
    local piece = found[place]
    if place % 2 == 1 then texts[place] = piece
    elseif piece == "N" then texts[place] = number
    else texts[place] = name end
  end
  return table.concat(texts)
end

function init(args)
  wrk.method = "POST"
  wrk.headers["content-type"] = "application/json"
  marker, run = args[2], tonumber(args[3])
  for line in io.lines(args[1]) do
    local found = pieces(line)
    bodies[#bodies + 1] = #found == 1 and wrk.format(nil, nil, nil, line) or found
  end
end

function request()
  local body = bodies[asked % #bodies + 1]
  asked = asked + 1
  if type(body) == "string" then return body end
  return wrk.format(nil, nil, nil, filled(body))
end

function response(status, headers, body)
  answered = answered + 1
  if status ~= 200 or not body:find(marker, 1, true) or body:find('"errors":', 1, true)
      or body:find('"message":', 1, true) then
    bad = bad + 1
    worst = body:sub(1, 500)
  end
end

function done(summary, latency)
  local wrong, seen, sample = 0, 0, ""
  for _, thread in ipairs(threads) do
    wrong, seen, sample = wrong + thread:get("bad"), seen + thread:get("answered"), thread:get("worst")
  end
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "duration_us": %d, "p50_us": %d, "p95_us": %d, "p99_us": %d, ' ..
    '"looked_at": %d, "bad": %d, "broken": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(95), latency:percentile(99),
    seen, wrong, errors.connect + errors.read + errors.write + errors.timeout))
  if wrong > 0 then io.write("SAMPLE " .. sample:gsub("\n", " ") .. "\n") end
end
