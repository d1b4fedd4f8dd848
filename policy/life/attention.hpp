// When a browser is opened for an approval, without being asked. Pure: what kind of session this is, and when
// the last tab was opened, are told.
#pragma once

#include "policy/life/approval.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>

namespace reauth {

/// `approval.open_browser`.
enum class browser_opening {
    automatic, ///< where there is a desktop session; at most one tab a minute
    never,
    always, ///< whatever this machine looks like
};
std::string_view to_string(browser_opening o) noexcept;

/// What the process can see of the session it runs in.
struct desktop_facts {
    bool display = false;      ///< X11 or Wayland
    bool remote_shell = false; ///< it came over SSH: the person sits elsewhere
    bool container = false;
    bool service = false; ///< a system service: nobody sits there
};

/// Reads them from the environment. `container_marker`: /.dockerenv or /run/.containerenv is there.
desktop_facts read_desktop(const std::map<std::string, std::string>& environment, bool container_marker);

/// Decides, and remembers what was opened.
class browser_calls {
public:
    /// Whether a browser is opened for it now; then it counts as opened. Once per approval; none for an
    /// approval that a person has asked for (its page or the command line shows it already), and under
    /// `automatic` none for other principals than `local`: they sit elsewhere.
    bool open_for(browser_opening how, const desktop_facts& where, const approval& a, time_point now);

private:
    std::set<std::string> opened_; ///< ids
    std::optional<time_point> last_;
};

} // namespace reauth
