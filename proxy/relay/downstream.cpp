// Watched, cut.
#include "proxy/relay/downstream.hpp"

namespace reauth {

void downstream::cut() {
    gone_ = true;
    client_.interrupt();
    waker_.notify();
    if (interrupt_)
        interrupt_(who_);
}

void downstream::watch() {
    client_.watch(&downstream::on_readable, this);
}

void downstream::on_readable(void* self) {
    auto& d = *static_cast<downstream*>(self);
    auto& in = d.need_memory().in;
    if (in.free() == 0)
        return; // a full buffer of requests that must wait: look again when this one is done
    auto r = d.client_.read(in.space(), in.free());
    switch (r.is) {
    case io_result::kind::ok:
        in.added(r.n);
        d.watch();
        break;
    case io_result::kind::again_read:
    case io_result::kind::again_write:
        d.watch();
        break;
    case io_result::kind::eof:
    case io_result::kind::cut:
        d.cut();
        break;
    }
}

} // namespace reauth
