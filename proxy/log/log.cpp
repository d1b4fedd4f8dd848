// spdlog behind one writer: fields in order, one line.
#include "proxy/log/log.hpp"

#include "core/json/json_reader.hpp"
#include "core/text/display_text.hpp"
#include "core/text/time_text.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <deque>
#include <mutex>

namespace reauth {
namespace {

bool json_lines = false;
thread_local const log_scope::subject* about = nullptr;

/// Of a `traceparent` (W3C Trace Context): its second part.
std::string_view trace_id(std::string_view traceparent) {
    const auto first = traceparent.find('-');
    return first == traceparent.npos ? std::string_view() : traceparent.substr(first + 1, 32);
}

spdlog::level::level_enum level_of(log_level l) noexcept {
    switch (l) {
    case log_level::trace:
        return spdlog::level::trace;
    case log_level::debug:
        return spdlog::level::debug;
    case log_level::info:
        return spdlog::level::info;
    case log_level::warn:
        return spdlog::level::warn;
    case log_level::error:
        return spdlog::level::err;
    }
    return spdlog::level::info;
}

/// As the configuration spells it, in a column.
std::string_view level_word(log_level l) noexcept {
    switch (l) {
    case log_level::trace:
        return "trace ";
    case log_level::debug:
        return "debug ";
    case log_level::info:
        return "info  ";
    case log_level::warn:
        return "warn  ";
    case log_level::error:
        return "error ";
    }
    return "info  ";
}

/// Quoted where a reader or a script could stumble.
std::string plain(const std::string& value) {
    auto clean = clean_text(value, 600);
    if (!clean.empty() && clean.find_first_of(" \"=") == std::string::npos)
        return clean;
    std::string out = "\"";
    for (const char c : clean) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    return out + '"';
}

constexpr std::size_t lines_kept = 200;
std::mutex kept_mutex;
std::deque<std::string> kept_lines;

void remember(const std::string& line) {
    const std::lock_guard lock(kept_mutex);
    kept_lines.push_back(rfc3339_ms(wall_clock::now()) + " " + line);
    if (kept_lines.size() > lines_kept)
        kept_lines.pop_front();
}

} // namespace

std::string last_log_lines() {
    const std::lock_guard lock(kept_mutex);
    std::string out;
    for (const auto& line : kept_lines)
        out += line + "\n";
    return out;
}

void start_log(const log_config& settings) {
    auto logger =
        std::make_shared<spdlog::logger>("mcp-reauth", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    json_lines = settings.format == log_format::json;
    if (json_lines)
        logger->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})",
                            spdlog::pattern_time_type::utc);
    else
        logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc);
    auto level = spdlog::level::from_str(settings.level);
    logger->set_level(level == spdlog::level::off && settings.level != "off" ? spdlog::level::info : level);
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
}

bool log_enabled(log_level level) noexcept {
    return spdlog::should_log(level_of(level));
}

log_scope::log_scope(subject what) noexcept : about_(what), before_(about) {
    about = &about_;
}

log_scope::~log_scope() {
    about = before_;
}

void log_event(log_level level, std::string_view event, std::initializer_list<log_field> fields) {
    if (!log_enabled(level))
        return;
    std::string line;
    if (json_lines) {
        nlohmann::ordered_json j;
        j["event"] = event;
        for (const auto& [name, value] : fields)
            j[std::string(name)] = clean_text(value, 2000);
        if (about && !about->recovery.empty())
            j["recovery"] = about->recovery;
        if (about && !about->trace.empty())
            j["trace_id"] = trace_id(about->trace);
        line = json_text(j);
        line = line.substr(1, line.size() - 2);
    } else {
        line = level_word(level);
        line += event;
        for (const auto& [name, value] : fields)
            line.append(1, ' ').append(name).append(1, '=').append(plain(value));
        if (about && !about->recovery.empty())
            line.append(" recovery=").append(about->recovery);
    }
    remember(line);
    spdlog::default_logger_raw()->log(level_of(level), fmt::string_view("{}"), line);
}

} // namespace reauth
