// Hears of changes of files without looking again and again: inotify(7).
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace reauth {

/// Watches the directories that files are in, by their names and by where links lead to, so that one is heard
/// of that is replaced or not there yet.
class file_watch {
public:
    file_watch() = default;
    explicit file_watch(const std::vector<std::string>& files);
    file_watch(file_watch&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    file_watch& operator=(file_watch&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~file_watch();

    /// Readable when something has happened there; -1: that can't be told (a file system of the network, or
    /// no watch to be had), look from time to time.
    int descriptor() const noexcept { return descriptor_; }
    /// What was told is taken note of: it is readable again at the next change.
    void drain() const noexcept;

private:
    int descriptor_ = -1;
};

} // namespace reauth
