// What becomes of a mapped file that cannot be read any more.

#ifndef SERVER_BASE_BUS_ERROR_H_
#define SERVER_BASE_BUS_ERROR_H_

namespace deberta::server {

// From here on a SIGBUS, by which the kernel says that a page of a mapped file
// is gone (the file was cut short) or cannot be read (the disk fails), ends the
// process with exit code 1 and a line on stderr that names the file.
void NameFileOnBusError();

}  // namespace deberta::server

#endif  // SERVER_BASE_BUS_ERROR_H_
