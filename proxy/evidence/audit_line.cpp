// Members in their order; hash and signature over the bytes as they stand.
#include "proxy/evidence/audit_line.hpp"

#include "core/crypto/digest.hpp"
#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"
#include "core/text/display_text.hpp"
#include "core/text/encoding.hpp"
#include "core/text/time_text.hpp"

#include <nlohmann/json.hpp>

#include <charconv>

namespace reauth {
namespace {

constexpr std::size_t longest_detail = 1000;
constexpr std::string_view before_signature = R"(,"sig":")";
const std::string no_line(64, '0');

std::string hash_of(std::string_view line) {
    return hex_encode(sha256(line));
}

} // namespace

std::string audit_head::text() const {
    return log + ":" + std::to_string(seq) + ":" + hash;
}

std::optional<audit_head> audit_head::parse(std::string_view text) {
    const auto one = text.find(':'), two = text.rfind(':');
    if (one == text.npos || two == one)
        return std::nullopt;
    audit_head h;
    h.log = text.substr(0, one);
    h.hash = text.substr(two + 1);
    const auto number = text.substr(one + 1, two - one - 1);
    const auto read = std::from_chars(number.data(), number.data() + number.size(), h.seq);
    if (h.log.empty() || h.hash.size() != no_line.size() || read.ec != std::errc() ||
        read.ptr != number.data() + number.size())
        return std::nullopt;
    return h;
}

std::string audit_line(audit_head& head, const audit_event& what, const std::string& process,
                       const signing_key* key) {
    nlohmann::ordered_json j;
    j["v"] = 1;
    j["log"] = head.log;
    j["seq"] = ++head.seq;
    j["time"] = rfc3339_ms(what.at);
    j["process"] = process;
    j["event"] = what.event;
    for (const auto& [name, value] : what.details)
        if (!value.empty())
            j[name] = clean_text(value, longest_detail);
    j["prev"] = head.hash.empty() ? no_line : head.hash;
    if (key)
        j["key"] = key->id();
    auto line = json_text(j);
    if (key) {
        line.pop_back(); // the signature is over all that stands before it
        const auto signature = base64url_encode(key->sign(line));
        line.append(before_signature).append(signature).append("\"}");
    }
    head.hash = hash_of(line);
    return line;
}

std::optional<audit_entry> read_audit_line(std::string_view line) {
    const auto in = read_json(line);
    if (!in || !in->is_object() || json_integer(*in, "v") != 1)
        return std::nullopt;
    audit_entry e;
    const auto seq = json_integer(*in, "seq");
    e.log = json_string(*in, "log");
    e.event = json_string(*in, "event");
    e.prev = json_string(*in, "prev");
    e.key = json_string(*in, "key");
    e.public_key = json_string(*in, "public_key");
    if (e.key.empty() != !in->contains("sig"))
        return std::nullopt;
    if (!seq || *seq < 1 || e.log.empty() || e.prev.size() != no_line.size())
        return std::nullopt;
    e.seq = static_cast<std::uint64_t>(*seq);
    e.hash = hash_of(line);
    if (const auto at = line.rfind(before_signature); !e.key.empty() && at != line.npos) {
        e.signed_text = line.substr(0, at);
        const auto written = json_string(*in, "sig");
        e.signature = base64url_decode(written).value_or("");
        if (base64url_encode(e.signature) != written ||
            line.substr(at) != std::string(before_signature) + written + "\"}")
            e.signature.clear(); // what is not written as we do is no signature of ours
    }
    return e;
}

} // namespace reauth
