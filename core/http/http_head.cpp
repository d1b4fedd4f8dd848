// The one pass: start line, fields, framing.
#include "core/http/http_head.hpp"

#include "core/http/http_field.hpp"
#include "core/text/ascii.hpp"

#include <algorithm>
#include <cstring>

namespace reauth {

void field_list::grow(std::size_t most) {
    auto room = std::make_unique<head_field[]>(most);
    std::copy_n(data(), usual, room.get());
    more_ = std::move(room);
}

namespace {

using kind = head_outcome::kind;

constexpr head_outcome bad(const char* why) {
    return {kind::bad, why};
}

/// Finds the CRLF that ends the line at `at`; npos if it is not there yet, and `broken` if a line ends
/// otherwise.
std::size_t find_line_end(std::string_view bytes, std::size_t at, bool& broken) noexcept {
    const void* hit = std::memchr(bytes.data() + at, '\n', bytes.size() - at);
    if (!hit)
        return std::string_view::npos;
    auto end = static_cast<std::size_t>(static_cast<const char*>(hit) - bytes.data());
    if (end == at || bytes[end - 1] != '\r') {
        broken = true;
        return std::string_view::npos;
    }
    return end - 1;
}

const char* parse_field(std::string_view line, head_field& field) noexcept {
    const auto colon = token_length(line);
    if (colon == 0)
        return (line[0] == ' ' || line[0] == '\t') ? "folded field line" : "malformed field name";
    if (colon == line.size() || line[colon] != ':')
        return "malformed field name";
    field.name = line.substr(0, colon);
    auto value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t'))
        value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t'))
        value.remove_suffix(1);
    if (!valid_field_value(value))
        return "control character in a field value";
    field.value = value;
    field.id = identify_field(field.name);
    return nullptr;
}

struct framing_facts {
    bool has_length = false, has_coding = false, has_authorization = false, close = false, keep_alive = false,
         any_connection = false, unknown_coding = false;
    unsigned hosts = 0;
};

const char* note_field(message_head& head, const head_field& field, framing_facts& facts) noexcept {
    switch (field.id) {
    case field_id::content_length:
        if (facts.has_length)
            return "repeated Content-Length";
        facts.has_length = true;
        if (!parse_decimal(field.value, head.content_length))
            return "malformed Content-Length";
        break;
    case field_id::transfer_encoding:
        if (facts.has_coding)
            return "repeated Transfer-Encoding";
        facts.has_coding = true;
        if (!iequals(field.value, "chunked")) {
            facts.unknown_coding = true;
            return "unsupported Transfer-Encoding";
        }
        break;
    case field_id::host:
        ++facts.hosts;
        break;
    case field_id::authorization:
        if (facts.has_authorization)
            return "repeated Authorization";
        facts.has_authorization = true;
        break;
    case field_id::connection:
        facts.any_connection = true;
        for_each_list_item(field.value, [&](std::string_view item) {
            facts.close = facts.close || iequals(item, "close");
            facts.keep_alive = facts.keep_alive || iequals(item, "keep-alive");
        });
        break;
    default:
        break;
    }
    return nullptr;
}

/// Marks the fields that a Connection field names. Framing and routing fields can't be nominated away.
void mark_nominated(message_head& head) noexcept {
    for (std::size_t c = 0; c < head.field_count; ++c) {
        if (head.fields[c].id != field_id::connection)
            continue;
        for_each_list_item(head.fields[c].value, [&](std::string_view item) {
            if (iequals(item, "close") || iequals(item, "keep-alive"))
                return;
            for (std::size_t i = 0; i < head.field_count; ++i) {
                auto& f = head.fields[i];
                if (f.id != field_id::content_length && f.id != field_id::transfer_encoding &&
                    iequals(f.name, item))
                    f.nominated = true;
            }
        });
    }
}

head_outcome parse_fields(std::string_view bytes, std::size_t at, message_head& head,
                          framing_facts& facts) noexcept {
    head.field_count = 0;
    for (;;) {
        bool broken = false;
        auto end = at < bytes.size() ? find_line_end(bytes, at, broken) : std::string_view::npos;
        if (broken)
            return bad("line not ended by CRLF");
        if (end == std::string_view::npos)
            return bytes.size() >= max_head_size ? head_outcome{kind::too_large, "head larger than 64 KiB"}
                                                 : head_outcome{};
        if (end == at) {
            head.size = end + 2;
            break;
        }
        if (head.field_count == field_list::usual && !head.fields.grown())
            head.fields.grow(message_head::max_fields);
        if (head.field_count == message_head::max_fields)
            return {kind::too_large, "more than 128 fields"};
        auto& field = head.fields[head.field_count];
        field.nominated = false;
        if (const char* why = parse_field(bytes.substr(at, end - at), field))
            return bad(why);
        field.line = bytes.substr(at, end + 2 - at);
        if (const char* why = note_field(head, field, facts))
            return {facts.unknown_coding ? kind::unsupported : kind::bad, why};
        ++head.field_count;
        at = end + 2;
    }
    if (head.size > max_head_size)
        return {kind::too_large, "head larger than 64 KiB"};
    if (facts.has_length && facts.has_coding)
        return bad("both Content-Length and Transfer-Encoding");
    if (facts.has_coding && head.minor_version == 0)
        return bad("Transfer-Encoding in HTTP/1.0");
    head.keep_alive = head.minor_version == 0 ? facts.keep_alive && !facts.close : !facts.close;
    if (facts.any_connection)
        mark_nominated(head);
    return {kind::complete, ""};
}

/// "HTTP/1.0" or "HTTP/1.1".
bool parse_version(std::string_view text, unsigned& minor) noexcept {
    if (text.size() != 8 || text.substr(0, 7) != "HTTP/1." || (text[7] != '0' && text[7] != '1'))
        return false;
    minor = static_cast<unsigned>(text[7] - '0');
    return true;
}

} // namespace

const head_field* message_head::find(field_id id) const noexcept {
    for (const auto& f : *this)
        if (f.id == id)
            return &f;
    return nullptr;
}

std::string_view message_head::value(field_id id) const noexcept {
    const auto* f = find(id);
    return f ? f->value : std::string_view{};
}

head_outcome parse_request_head(std::string_view bytes, request_head& head) noexcept {
    bool broken = false;
    auto end = bytes.empty() ? std::string_view::npos : find_line_end(bytes, 0, broken);
    if (broken)
        return bad("line not ended by CRLF");
    if (end == std::string_view::npos) {
        // a TLS hello or other binary is told apart from a slow client at once
        if (!bytes.empty() && !is_token_char(bytes[0]))
            return bad("not an HTTP request");
        return bytes.size() >= max_head_size ? head_outcome{kind::too_large, "head larger than 64 KiB"}
                                             : head_outcome{};
    }
    auto line = bytes.substr(0, end);
    const auto at = token_length(line);
    if (at == 0 || at == line.size() || line[at] != ' ')
        return bad("malformed request line");
    head.method = line.substr(0, at);
    auto rest = line.substr(at + 1);
    auto space = rest.find(' ');
    if (space == std::string_view::npos || space == 0)
        return bad("malformed request line");
    head.target = rest.substr(0, space);
    if (!parse_version(rest.substr(space + 1), head.minor_version))
        return bad("unsupported HTTP version");
    if (!valid_target(head.target))
        return bad("malformed request target");
    framing_facts facts;
    auto outcome = parse_fields(bytes, end + 2, head, facts);
    if (outcome.is != kind::complete)
        return outcome;
    if (facts.hosts > 1)
        return bad("repeated Host");
    if (facts.hosts == 0 && head.minor_version != 0)
        return bad("missing Host");
    if (facts.hosts != 0 && !valid_host(head.value(field_id::host)))
        return bad("malformed Host");
    head.framing = facts.has_coding                              ? body_framing::chunked
                   : facts.has_length && head.content_length > 0 ? body_framing::sized
                                                                 : body_framing::none;
    return outcome;
}

head_outcome parse_response_head(std::string_view bytes, bool to_head_request, response_head& head) noexcept {
    bool broken = false;
    auto end = bytes.empty() ? std::string_view::npos : find_line_end(bytes, 0, broken);
    if (broken)
        return bad("line not ended by CRLF");
    if (end == std::string_view::npos) {
        static constexpr std::string_view start = "HTTP/1.";
        if (bytes.substr(0, start.size()) != start.substr(0, bytes.size()))
            return bad("not an HTTP/1 answer");
        return bytes.size() >= max_head_size ? head_outcome{kind::too_large, "head larger than 64 KiB"}
                                             : head_outcome{};
    }
    auto line = bytes.substr(0, end);
    if (line.size() < 12 || !parse_version(line.substr(0, 8), head.minor_version) || line[8] != ' ')
        return bad("malformed status line");
    std::uint64_t status = 0;
    if (!parse_decimal(line.substr(9, 3), status) || status < 100 || status > 999 ||
        (line.size() > 12 && line[12] != ' ') || !valid_field_value(line.substr(12)))
        return bad("malformed status line");
    head.status = static_cast<unsigned>(status);
    head.status_line_rest = line.substr(9);
    framing_facts facts;
    head.content_length = 0;
    auto outcome = parse_fields(bytes, end + 2, head, facts);
    if (outcome.is != kind::complete)
        return outcome;
    if (head.status < 200) {
        if (head.status == 101)
            return bad("unexpected protocol upgrade");
        if (facts.has_coding || facts.has_length)
            return bad("an interim answer with a body");
        head.framing = body_framing::none;
        return outcome;
    }
    if (to_head_request || head.status == 204 || head.status == 304)
        head.framing = body_framing::none;
    else if (facts.has_coding)
        head.framing = body_framing::chunked;
    else if (facts.has_length)
        head.framing = head.content_length > 0 ? body_framing::sized : body_framing::none;
    else
        head.framing = body_framing::until_close;
    if (head.framing == body_framing::until_close)
        head.keep_alive = false;
    return outcome;
}

} // namespace reauth
