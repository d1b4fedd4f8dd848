// Widths from the cells; the last column is as long as it likes.
#include "proxy/cli/table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

namespace reauth {

namespace {

std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

} // namespace

std::string format_table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], width(row[i]));
    }
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size())
                line.append(widths[i] - width(row[i]) + 2, ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + '\n';
    }
    return out;
}

std::string relative_time(std::chrono::system_clock::time_point t,
                          std::chrono::system_clock::time_point now) {
    using namespace std::chrono;
    constexpr std::array<std::pair<long long, const char*>, 4> units{
        {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}}};
    const auto distance = duration_cast<seconds>(t - now).count();
    const auto length = distance < 0 ? -distance : distance;
    for (const auto& [size, name] : units) {
        if (length < size)
            continue;
        const auto text = std::to_string(length / size) + " " + name;
        return distance < 0 ? text + " ago" : "in " + text;
    }
    return "now";
}

} // namespace reauth
