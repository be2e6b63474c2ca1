// The page for people on the metrics port: models, tasks, load. It reads
// /metrics in the browser, and nothing from elsewhere.

#ifndef SERVER_STATUS_PAGE_H_
#define SERVER_STATUS_PAGE_H_

namespace deberta::server {

// status_page.html.
extern const char kStatusPage[];

}  // namespace deberta::server

#endif  // SERVER_STATUS_PAGE_H_
