// A look into an answer before it is passed on: challenges that stand elsewhere than in a 401's head.
#include "proxy/relay/exchange.hpp"

#include "core/mcp/result_challenge.hpp"
#include "core/text/display_text.hpp"
#include "core/text/uri.hpp"
#include "proxy/log/log.hpp"

#include <algorithm>

namespace reauth {
namespace {

constexpr std::size_t most_of_result = 1024 * 1024, most_of_error = 16 * 1024;

std::string_view bare_path(std::string_view target) {
    auto path = target.substr(0, target.find('?'));
    while (path.size() > 1 && path.ends_with('/'))
        path.remove_suffix(1);
    return path;
}

bool listed(const std::vector<unsigned>& statuses, unsigned status) {
    return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

} // namespace

/// Reads on until the body (of an event stream: its first message) is there, or `most` bytes of it: what is
/// read stays where the answer's first bytes are, and is relayed from there.
loop_task<std::string> exchange::look_ahead(std::size_t most) {
    auto& up = *down_.memory()->up;
    const bool events = is_event_stream(up.answer.value(field_id::content_type));
    body_scanner scanner(up.answer);
    std::string payload;
    std::size_t seen = up.answer.size;
    event_reader reader;
    clock_.start(where_.settings().limits.upstream_answer, up_.connection());
    for (;;) {
        auto fresh = up.reply.view().substr(seen);
        seen = up.reply.size();
        const auto before = payload.size();
        if (!pass_body(scanner, fresh, true, payload))
            break;
        if (events) {
            const auto whole = reader.feed(std::string_view(payload).substr(before));
            const auto said =
                std::find_if(whole.begin(), whole.end(), [](const auto& e) { return !e.data.empty(); });
            if (said != whole.end()) {
                clock_.stop();
                co_return said->data;
            }
        }
        if (scanner.done() || payload.size() >= most)
            break;
        if (up.reply.free() == 0) {
            up.reply.compact();
            up.reply.grow(std::max(up.reply.capacity() * 2, most / 16));
            parse_response_head(up.reply.view(), is_head_, up.answer); // its views follow
        }
        up_.connection().look_again();
        auto r = up_.connection().read(up.reply.space(), up.reply.free());
        if (r.is == io_result::kind::ok) {
            up.reply.added(r.n);
            continue;
        }
        if (r.is == io_result::kind::eof || r.is == io_result::kind::cut || up_.connection().interrupted() ||
            down_.gone())
            break;
        co_await up_.connection().wait(r.is);
    }
    clock_.stop();
    co_return events ? std::string() : payload;
}

/// `challenges: [result]`: a 200 whose tool result says what a 401 would.
loop_task<bool> exchange::hear_result_challenge() {
    const auto& answer = down_.memory()->up->answer;
    if (answer.status != 200 || pass_ || is_get_)
        co_return false;
    const auto payload = co_await look_ahead(most_of_result);
    if (down_.gone() || !may_hold_result_challenge(payload))
        co_return false;
    const auto said = result_challenges(payload);
    const std::vector<std::string_view> lines(said.begin(), said.end());
    heard_ = {};
    heard_.challenge = read_challenge(401, lines, {}, credential_ != nullptr);
    // without an error word a result tells nothing that a 401 would
    const bool speaks =
        heard_.challenge.bearer || heard_.challenge.dpop || !heard_.challenge.resource_metadata.empty();
    if (said.empty() || !speaks)
        co_return false;
    heard_.status = 401;
    heard_.lines = said;
    co_return heard_.challenge.kind != challenge_kind::not_a_challenge;
}

/// `treat_as_challenge`: what this server answers to a token that it does not know. Not to one that was just
/// obtained: then it is what it says.
bool exchange::hear_configured_challenge() {
    const auto& answer = down_.memory()->up->answer;
    const auto& statuses = where_.upstream().treat_as_challenge;
    if (statuses.empty() || pass_ || !listed(statuses, answer.status))
        return false;
    if (credential_ && credential_->generation() != first_generation_)
        return false;
    heard_ = {};
    heard_.status = answer.status;
    heard_.challenge.kind = credential_ ? challenge_kind::token_expired : challenge_kind::unauthorized;
    heard_.challenge.bearer = true;
    return true;
}

/// A 5xx with an OAuth error in its body, to a request with a token: it is relayed, and the log says what
/// would make it a challenge.
loop_task<void> exchange::tell_of_hidden_challenge() {
    const auto status = down_.memory()->up->answer.status;
    const auto body = co_await look_ahead(most_of_error);
    const auto word = oauth_error_in(body);
    if (word.empty() || down_.gone())
        co_return;
    log_event(log_level::warn, "an error that may be a challenge",
              {{"upstream", where_.upstream().name},
               {"message", "it answered " + std::to_string(status) + " with the OAuth error " + word +
                               " to a request with a token: if that is how it refuses one, set "
                               "treat_as_challenge: [" +
                               std::to_string(status) + "] for this upstream"}});
}

/// What a redirect is.
exchange::redirect exchange::judge_redirect() const {
    const auto& m = *down_.memory();
    const auto& answer = m.up->answer;
    if (pass_ || answer.status < 301 || answer.status > 308 || answer.status == 304 || answer.status == 305)
        return redirect::none;
    const auto to = resolve_reference(where_.to->origin + m.target, answer.value(field_id::location));
    if (!to)
        return redirect::none;
    const bool ours = same_origin(where_.to->origin, to->origin());
    const auto target = to->target();
    const auto path = bare_path(target), base = bare_path(where_.to->base_path);
    const bool below = base == "/" || (path.starts_with(base) && path.substr(base.size()).starts_with('/'));
    const bool inside = ours && (below || path == bare_path(m.target));
    if (inside)
        return answer.status >= 307 ? redirect::follow : redirect::none;
    const bool dead = credential_ && credential_->renewable && !page_seen_ && answer.status != 301 &&
                      answer.status != 308 && credential_->generation() == first_generation_;
    return dead ? redirect::dead_token : ours ? redirect::refuse : redirect::elsewhere;
}

failure exchange::redirect_failure() const {
    return failure::permanent(
        fault::reauth_failed,
        "upstream " + where_.upstream().name + " redirects to " + page_seen_at_ +
            ", away from what was asked for: a sign-in page, it seems, in place of a challenge that can be "
            "read "
            "(401 with WWW-Authenticate, RFC 9728)",
        "if the server has moved, set it as `url`; else sign in anew with `mcp-reauth login " +
            where_.upstream().name + "`");
}

} // namespace reauth
