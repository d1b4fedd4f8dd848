// One inotify descriptor for all.
#include "conf/file_watch.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace reauth {
namespace {

/// File systems that others write to without this kernel (statfs(2)): NFS, SMB, CIFS, SMB2, FUSE, 9P, Ceph,
/// AFS.
constexpr std::array<unsigned long, 8> written_elsewhere{0x6969,     0x517b,     0xff534d42, 0xfe534d42,
                                                         0x65735546, 0x01021997, 0x00c36400, 0x5346414f};

bool tells(const std::string& directory) {
    struct statfs about{};
    return ::statfs(directory.c_str(), &about) == 0 &&
           std::find(written_elsewhere.begin(), written_elsewhere.end(),
                     static_cast<unsigned long>(about.f_type)) == written_elsewhere.end();
}

std::set<std::string> directories_of(const std::vector<std::string>& files) {
    std::set<std::string> out;
    for (const auto& file : files) {
        const std::filesystem::path named(file);
        std::error_code ec;
        const auto real = std::filesystem::weakly_canonical(named, ec);
        out.insert(named.has_parent_path() ? named.parent_path().string() : ".");
        if (!ec && real.has_parent_path())
            out.insert(real.parent_path().string());
    }
    return out;
}

} // namespace

file_watch::file_watch(const std::vector<std::string>& files) {
    const auto directories = directories_of(files);
    const int made = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    const auto watched = [made](const std::string& directory) {
        return tells(directory) && ::inotify_add_watch(made, directory.c_str(),
                                                       IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVE |
                                                           IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF) >= 0;
    };
    if (made >= 0 && !directories.empty() && std::all_of(directories.begin(), directories.end(), watched))
        descriptor_ = made;
    else if (made >= 0)
        ::close(made);
}

file_watch::~file_watch() {
    if (descriptor_ >= 0)
        ::close(descriptor_);
}

void file_watch::drain() const noexcept {
    std::array<char, 4096> events;
    while (descriptor_ >= 0 && ::read(descriptor_, events.data(), events.size()) > 0)
        ;
}

} // namespace reauth
