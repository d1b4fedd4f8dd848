// posix_spawn, a pidfd that tells the end, and pipes that Asio waits for.
#include "proxy/approval/child_process.hpp"

#include "core/text/display_text.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/write.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace reauth {
namespace {

using pipe_end = asio::posix::basic_stream_descriptor<executor>;
constexpr std::size_t kept_of_stderr = 300;

failure cannot(const std::string& program, const std::string& why) {
    return failure::passing(fault::internal, "`" + clean_text(program, 200) + "` " + why);
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (const auto& t : texts)
        out.push_back(const_cast<char*>(t.c_str()));
    out.push_back(nullptr);
    return out;
}

/// A child and our ends of its pipes.
struct running_child {
    explicit running_child(executor ex) : input(ex), errors(ex), end(ex), patience(ex) {}
    pid_t pid = 0;
    pipe_end input, errors, end;
    loop_timer patience;
    bool killed = false;
};

result<std::shared_ptr<running_child>> spawn(executor ex, const child_command& command) {
    auto child = std::make_shared<running_child>(ex);
    int in[2], err[2];
    if (::pipe2(in, O_CLOEXEC) != 0)
        return cannot(command.arguments[0], std::strerror(errno));
    child->input.assign(in[1]);
    if (::pipe2(err, O_CLOEXEC) != 0) {
        ::close(in[0]);
        return cannot(command.arguments[0], std::strerror(errno));
    }
    child->errors.assign(err[0]);
    posix_spawn_file_actions_t files;
    posix_spawnattr_t settings;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&settings);
    posix_spawn_file_actions_adddup2(&files, in[0], STDIN_FILENO);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (command.patience)
        posix_spawn_file_actions_adddup2(&files, err[1], STDERR_FILENO);
    else // nobody reads what a long-lived one says, and a full pipe would stop it
        posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&settings, &none);
    posix_spawnattr_setsigdefault(&settings, &all);
    posix_spawnattr_setflags(&settings, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const auto arguments = pointers(command.arguments), environment = pointers(command.environment);
    const int trouble = ::posix_spawnp(&child->pid, command.arguments[0].c_str(), &files, &settings,
                                       arguments.data(), environment.data());
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&settings);
    ::close(in[0]);
    ::close(err[1]);
    if (trouble != 0)
        return cannot(command.arguments[0], "can't be run: " + std::string(std::strerror(trouble)));
    const auto end = static_cast<int>(::syscall(SYS_pidfd_open, child->pid, 0));
    if (end < 0) {
        const std::string why = std::strerror(errno);
        ::kill(child->pid, SIGKILL);
        ::waitpid(child->pid, nullptr, 0);
        return cannot(command.arguments[0], "can't be watched: " + why);
    }
    child->end.assign(end);
    return child;
}

void give_time(const std::shared_ptr<running_child>& child, std::chrono::milliseconds patience) {
    child->patience.expires_after(patience);
    child->patience.async_wait([child](error_code ec) {
        if (ec)
            return;
        child->killed = true;
        ::kill(-child->pid, SIGKILL); // its session: what it has started goes too
    });
}

/// Whoever does not read its input loses it.
void feed(const std::shared_ptr<running_child>& child, std::string text) {
    auto kept = std::make_shared<std::string>(std::move(text));
    asio::async_write(child->input, asio::buffer(*kept), [child, kept](error_code, std::size_t) {
        error_code ignored;
        child->input.close(ignored);
    });
}

} // namespace

task<result<void>> run_child(executor ex, child_command command) {
    std::signal(SIGPIPE, SIG_IGN); // a command that reads nothing of its input is no reason to end
    auto spawned = spawn(ex, command);
    if (!spawned)
        co_return spawned.error();
    auto child = std::move(*spawned);
    feed(child, std::move(command.input));
    if (command.patience)
        give_time(child, *command.patience);
    error_code ec;
    auto done = asio::redirect_error(use_task, ec);
    co_await child->end.async_wait(pipe_end::wait_read, done);
    child->patience.cancel();
    int status = 0;
    ::waitpid(child->pid, &status, 0);
    std::string said(kept_of_stderr, '\0');
    child->errors.non_blocking(true, ec);
    const auto size = child->errors.read_some(asio::buffer(said), ec);
    said.resize(ec ? 0 : size);
    child->input.close(ec);
    if (child->killed)
        co_return cannot(command.arguments[0], "took longer than " +
                                                   std::to_string(command.patience->count() / 1000) +
                                                   " s and was ended");
    if (status == 0)
        co_return result<void>{};
    const auto how = WIFEXITED(status) ? "ended with status " + std::to_string(WEXITSTATUS(status))
                                       : "was ended by signal " + std::to_string(WTERMSIG(status));
    co_return cannot(command.arguments[0],
                     how + (said.empty() ? "" : ": " + clean_text(said, kept_of_stderr)));
}

} // namespace reauth
