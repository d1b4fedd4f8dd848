// JSON in a file of its own per process, replaced whole.
#include "proxy/service/running_file.hpp"

#include "conf/load.hpp"
#include "conf/regular_file.hpp"
#include "conf/values.hpp"
#include "core/json/json_fields.hpp"
#include "core/json/json_reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace reauth {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Field 22 of /proc/PID/stat; 0: there is no such process. The name in field 2 may hold anything.
std::uint64_t start_of(int pid) {
    const std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
    std::stringstream text;
    text << in.rdbuf();
    const auto stat = text.str();
    const auto close = stat.rfind(')');
    if (close == std::string::npos)
        return 0;
    std::istringstream fields(stat.substr(close + 1));
    std::string field;
    for (int i = 3; i <= 22; ++i)
        fields >> field;
    return std::strtoull(field.c_str(), nullptr, 10);
}

json to_json(const live_proxy& p) {
    json upstreams = json::array();
    for (const auto& u : p.upstreams)
        upstreams.push_back({{"name", u.name}, {"url", u.url}, {"path", u.path}});
    return {{"pid", p.pid},
            {"started", p.started},
            {"config", p.config},
            {"listen", p.listen},
            {"approval_listen", p.approval_listen},
            {"approval_url", p.approval_url},
            {"state_directory", p.state_directory},
            {"tls", p.tls},
            {"approval_tls", p.approval_tls},
            {"client_auth", p.client_auth},
            {"stdio", p.stdio},
            {"neighbour", p.neighbour},
            {"upstreams", std::move(upstreams)}};
}

live_proxy from_json(const json& in) {
    live_proxy p;
    const auto number = [&](const char* name, std::int64_t most) {
        const auto value = json_integer(in, name).value_or(0);
        return value > 0 && value <= most ? value : 0;
    };
    p.pid = static_cast<int>(number("pid", (std::numeric_limits<int>::max)()));
    p.started = static_cast<std::uint64_t>(number("started", (std::numeric_limits<std::int64_t>::max)()));
    p.config = json_string(in, "config");
    p.listen = json_string(in, "listen");
    p.approval_listen = json_string(in, "approval_listen");
    p.approval_url = json_string(in, "approval_url");
    p.state_directory = json_string(in, "state_directory");
    p.tls = in.value("tls", false);
    p.approval_tls = in.value("approval_tls", false);
    p.client_auth = in.value("client_auth", false);
    p.stdio = in.value("stdio", false);
    p.neighbour = static_cast<std::uint16_t>(number("neighbour", 65535));
    for (const auto& u : in.value("upstreams", json::array()))
        p.upstreams.push_back({json_string(u, "name"), json_string(u, "url"), json_string(u, "path")});
    return p;
}

std::string with_port(endpoint_config at, std::uint16_t port) {
    if (at.unix_path.empty() && at.port == 0)
        at.port = port;
    return at.to_string();
}

} // namespace

live_proxy describe_running(const config& settings, std::uint16_t listen_port, std::uint16_t approval_port) {
    live_proxy p;
    p.pid = ::getpid();
    p.started = start_of(p.pid);
    p.config = absolute_file(settings.file);
    p.listen = with_port(settings.listen, listen_port);
    p.approval_listen = with_port(settings.approval.listen, approval_port);
    p.approval_url = settings.approval.public_url;
    if (p.approval_url.empty())
        p.approval_url = (settings.approval.tls ? "https://" : "http://") + p.approval_listen;
    p.state_directory = settings.state_directory;
    p.tls = settings.tls.has_value();
    p.approval_tls = settings.approval.tls.has_value();
    p.client_auth = !settings.client_auth.empty();
    for (const auto& u : settings.upstreams)
        p.upstreams.push_back({u.name, u.url, u.path});
    return p;
}

std::string note_directory(const config& settings) {
    const auto own = default_config(process_inputs());
    return own ? own->state_directory : settings.state_directory;
}

running_file::~running_file() {
    if (!path_.empty())
        ::unlink(path_.c_str());
}

result<void> running_file::write(const std::string& directory, const live_proxy& about) {
    const auto cannot = [&](const std::string& what) {
        return failure::permanent(fault::invalid_configuration,
                                  "the command line will need --config to find this proxy: " + what);
    };
    const auto folder = directory + "/running";
    std::error_code ec;
    if (const auto trouble = make_private_directory(folder); !trouble.empty())
        return cannot(trouble);
    for (const auto& entry : fs::directory_iterator(folder, ec)) {
        const auto pid = std::atoi(entry.path().stem().c_str());
        if (pid > 0 && start_of(pid) == 0)
            fs::remove(entry.path(), ec);
    }
    const auto path = folder + "/" + std::to_string(about.pid) + ".json", fresh = path + ".new";
    ::unlink(fresh.c_str()); // whatever stands there
    const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return cannot(fresh + ": " + std::generic_category().message(errno));
    const auto text = json_text(to_json(about), 2) + "\n";
    const bool whole = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::close(fd);
    if (!whole || ::rename(fresh.c_str(), path.c_str()) != 0)
        return cannot(path + " can't be written");
    path_ = path;
    return {};
}

std::vector<live_proxy> live_proxies(const std::string& directory) {
    std::vector<live_proxy> out;
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(directory + "/running", ec)) {
        if (entry.path().extension() != ".json")
            continue;
        const auto file = read_regular_file(entry.path().string(), {1u << 20, true});
        const auto read = file ? read_json(file.text->reveal(), {1u << 20, 8, 50'000}) : std::nullopt;
        if (!read || !read->is_object())
            continue;
        try {
            auto p = from_json(*read);
            if (p.pid > 0 && p.started != 0 && start_of(p.pid) == p.started)
                out.push_back(std::move(p));
        } catch (const json::exception&) {
            continue; // of another version
        }
    }
    std::sort(out.begin(), out.end(),
              [](const live_proxy& a, const live_proxy& b) { return a.started < b.started; });
    return out;
}

} // namespace reauth
