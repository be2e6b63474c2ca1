"""Names of techniques by kind, for the tagger's silver labels.

SURE names are labelled wherever they stand as a word. DEBTAG names are also
ordinary words or letters: they are labelled in a package that debtags ties to
them, or where the words around them decide (CONTEXT).
"""

import re

SURE = {
    "LANGUAGE": """
        Python|Perl|Ruby|Java|JavaScript|ECMAScript|TypeScript|C++|C#|PHP|Lua
        Haskell|OCaml|Fortran|Pascal|Tcl|Erlang|Elixir|Scala|Kotlin|Clojure
        Common Lisp|Emacs Lisp|Lisp|Smalltalk|Prolog|Vala|Golang|Objective-C
        Octave|Verilog|VHDL|Groovy|Haxe|AWK|Fortran 90|Python 2|Python 3
        CoffeeScript|ActionScript|Objective Caml|Standard ML|Mercury|Eiffel
        COBOL|Modula-2|Modula-3|PostScript Type 3|SPARQL|SQL|PL/pgSQL|Raku
        Idris|Agda|Coq|Racket|Guile|Gambas|Nim|Ceylon|Elm|PureScript
        Bash|Julia|MATLAB|Cython|Delphi|Object Pascal|Free Pascal|GLSL
        Ada 95|ANSI C|Perl 5|Perl 6|Visual Basic|XQuery|XSLT|SystemVerilog
        OpenCL|Gherkin|LLVM IR|assembler|Logo|Forth""",
    "FORMAT": """
        XML|HTML|HTML5|XHTML|JSON|YAML|CSV|TSV|PDF|PostScript|PNG|JPEG|JPG|GIF
        TIFF|SVG|BMP|WebP|DocBook|LaTeX|TeX|BibTeX|Markdown|reStructuredText
        AsciiDoc|RTF|ODF|OpenDocument|EPUB|DjVu|DVI|MP3|Ogg|Vorbis|Ogg Vorbis
        FLAC|AAC|WAV|AIFF|MIDI|MPEG|MPEG-4|MP4|AVI|Matroska|WebM|H.264|Theora
        Opus|MusicXML|SGML|RDF|OWL|RSS|Atom|iCalendar|vCard|LDIF|TOML|INI
        ZIP|gzip|bzip2|xz|LZMA|tar|CPIO|RAR|7z|ISO 9660|ELF|DWARF|PE|Mach-O
        NetCDF|HDF5|FITS|GRIB|DICOM|shapefile|KML|GPX|GML|GeoTIFF|GeoJSON
        FASTA|FASTQ|SAM|BAM|VCF|BED|GFF|PDB|CIF|GenBank|STL|OBJ|COLLADA|VRML
        X3D|DXF|Gerber|SPICE|EDIF|CSS|CSS3|SCSS|Protocol Buffers|MessagePack
        BSON|CBOR|ASN.1|PEM|PKCS#12|mbox|Maildir|MIME|uuencode|Base64|DOCX
        XLSX|Excel|MS Word|ODT|ODS|OOXML|CHM|man pages|Texinfo|POD|gettext PO
        TrueType|OpenType|Type 1|WOFF|BDF|PCF|XPM|PPM|PBM|JPEG 2000|JPEG2000
        OpenEXR|EXIF|IPTC|XMP|ID3|SubRip|SMIL|SWF|Flash|FLV|3GP|AMR|Speex
        WavPack|Musepack|SoundFont|MOD|PCAP|pcap|WSDL|XSD|RELAX NG|DTD|XPath
        JSON Schema|INI files|QIF|OFX|CBZ|Mobipocket|S-expressions|PGN|SGF
        UTF-8|Unicode|ASCII|ISO-8859-1""",
    "PROTOCOL": """
        HTTP|HTTPS|HTTP/2|FTP|FTPS|SFTP|TFTP|SCP|SSH|SSL|TLS|DTLS|TCP|UDP|SCTP
        TCP/IP|IP|IPv4|IPv6|ICMP|IGMP|ARP|DNS|DNSSEC|mDNS|DHCP|DHCPv6|NTP|PTP
        SMTP|ESMTP|LMTP|IMAP|IMAP4|POP3|POP|NNTP|IRC|XMPP|Jabber|SIP|RTP|RTSP
        RTMP|H.323|STUN|TURN|ICE|WebRTC|WebSocket|WebSockets|WebDAV|CalDAV
        CardDAV|LDAP|LDAPS|Kerberos|RADIUS|TACACS+|SAML|OAuth|OAuth2|OpenID
        OpenID Connect|SASL|GSSAPI|SNMP|NetFlow|sFlow|BGP|OSPF|RIP|IS-IS|MPLS
        PPP|PPPoE|PPTP|L2TP|IPsec|IKE|IKEv2|OpenVPN|WireGuard|SOCKS|SOCKS5
        NFS|SMB|CIFS|AFP|iSCSI|NBD|FTP over SSL|Telnet|Gopher|Finger|rsync
        BitTorrent|Gnutella|eDonkey|MQTT|AMQP|STOMP|CoAP|ZeroMQ|gRPC|SOAP
        XML-RPC|JSON-RPC|REST|CORBA|DCOM|D-Bus|DBus|UPnP|DLNA|Bonjour|Zeroconf
        Bluetooth|ZigBee|Modbus|CAN|CANopen|I2C|SPI|USB|IEEE 1394|VNC|RDP|RFB
        SPICE protocol|XDMCP|ICQ|AIM|MSN|OSCAR|Gadu-Gadu|Matrix|AX.25|APRS
        GDB remote protocol|OpenPGP|S/MIME|IPP|LPD|WSGI|FastCGI|CGI|SCGI|OSC
        Memcached|Diameter|NETCONF|EtherCAT|KNX|LoRaWAN|HL7|Z39.50|OAI-PMH""",
    "TOOLKIT": """
        GTK|GTK+|GTK2|GTK3|GTK4|GTK+ 2|GTK+ 3|Qt|Qt4|Qt5|Qt6|Qt 4|Qt 5|Qt 6
        PyQt|PyQt5|PySide|PyGTK|wxWidgets|wxPython|Tk|Tcl/Tk|Tkinter|Motif
        Lesstif|Athena|Xaw|ncurses|curses|slang|newt|SDL|SDL2|SDL 2|Allegro
        OpenGL|Vulkan|FLTK|FOX|Swing|AWT|JavaFX|GNUstep|Clutter|EFL|Xlib|XCB
        Cairo|Pango|GNOME|KDE Frameworks|KDE Frameworks 5|Kirigami|QML|GLUT
        GLFW|SFML|Pygame|Ogre|OpenSceneGraph|Irrlicht|GStreamer|VTK|OpenCV
        Boost|Eigen|NumPy|SciPy|Django|Flask|Rails|Ruby on Rails|Sinatra
        Twisted|Tornado|Zope|Plone|Pyramid|Symfony|Zend Framework|Laravel
        jQuery|AngularJS|React|Vue.js|Backbone.js|Bootstrap|Node.js|Express
        Catalyst|Mojolicious|Dancer|Moose|POE|AnyEvent|libevent|libuv|GLib
        Gtkmm|gtkmm|GObject|Mono|.NET|Maven|Spring|Hibernate|Eclipse|Electron
        Dojo|ExtJS|Prototype|Kivy|Urwid|Enlightenment|Elementary|Granite|DPDK
        MPI|OpenMP|OpenMPI|CUDA|OpenAL|JACK|PulseAudio|ALSA|LV2|LADSPA|DSSI
        PyTorch|TensorFlow|Keras|pandas|Matplotlib|Jupyter|OSGi|Jini|Tcllib""",
    "LICENCE": """
        GPL|GPLv2|GPLv3|GPL-2|GPL-3|LGPL|LGPLv2|LGPLv3|AGPL|AGPLv3|GNU GPL
        GNU General Public License|GNU Lesser General Public License
        General Public License|Lesser General Public License|BSD license
        BSD licence|BSD-style license|BSD-licensed|MIT license|MIT licence
        MIT-licensed|Apache License|Apache license|Apache License 2.0
        Artistic License|Artistic license|Mozilla Public License|MPL
        Creative Commons|CC-BY|CC-BY-SA|CC0|SIL Open Font License|OFL
        GNU Free Documentation License|GFDL|public domain|ISC license
        Eclipse Public License|EPL|CDDL|zlib license|WTFPL
        Boost Software License|PSF license|LaTeX Project Public License|LPPL""",
}
# word: (kind, debtags that decide for the whole package)
DEBTAG = {
    "C": ("LANGUAGE", ("implemented-in::c", "devel::lang:c")),
    "R": ("LANGUAGE", ("implemented-in::r", "devel::lang:r")),
    "D": ("LANGUAGE", ("devel::lang:d",)),
    "Go": ("LANGUAGE", ("devel::lang:go", "implemented-in::go")),
    "Rust": ("LANGUAGE", ("devel::lang:rust", "implemented-in::rust")),
    "Scheme": ("LANGUAGE", ("implemented-in::scheme", "devel::lang:scheme")),
    "Ada": ("LANGUAGE", ("implemented-in::ada", "devel::lang:ada")),
    "ML": ("LANGUAGE", ("devel::lang:ml", "implemented-in::ocaml")),
    "shell": ("LANGUAGE", ("implemented-in::shell",)),
    "Basic": ("LANGUAGE", ()), "BASIC": ("LANGUAGE", ()),
    "assembly": ("LANGUAGE", ()), "Pike": ("LANGUAGE", ("devel::lang:pike",)),
    "Crystal": ("LANGUAGE", ()), "Swift": ("LANGUAGE", ()),
    "Dart": ("LANGUAGE", ()), "Icon": ("LANGUAGE", ()),
}
SECTION_LANGUAGE = {"golang": "Go", "rust": "Rust", "gnu-r": "R"}
BEFORE = re.compile(
    r"(?:written|implemented|coded|programmed|developed|programs?|code|library"
    r"|libraries|bindings?|modules?|packages?|interface|implementation|used"
    r"|API|extensions?)(?: [a-z]+)? (?:in|for|from|of|to|with)"
    r"(?: the| pure| plain| standard| portable| ANSI)? $")
AFTER = re.compile(
    r"^(?: programming| scripting)? (?:languages?|compilers?|bindings?|API"
    r"|library|libraries|code|programs?|scripts?|headers?|source|interpreter"
    r"|interface|packages?|modules?|implementation|programmers?|functions?"
    r"|standard)\b|^(?:, | and | or |/)(?:C\+\+|Python|Perl|Java|Fortran|Ruby)")
WORD_EDGE = r"A-Za-z0-9_+#"


def names():
    """{name: kind} of the unconditional names."""
    return {name.strip(): kind for kind, block in SURE.items()
            for name in re.split(r"[|\n]", block) if name.strip()}


def pattern(words):
    """Longest name first; not inside a word, a path or a dotted name."""
    joined = "|".join(re.escape(w) for w in sorted(words, key=len,
                                                   reverse=True))
    return re.compile(rf"(?<![{WORD_EDGE}\-./@])(?:{joined})"
                      rf"(?![{WORD_EDGE}]|[-.]\w)")


NAMES = names()
PATTERN = pattern([*NAMES, *DEBTAG])


def decided(word, text, start, end, tags, section):
    """Whether an ambiguous word names a language here."""
    _, wanted = DEBTAG[word]
    if BEFORE.search(text[max(0, start - 60):start]):
        return True
    if AFTER.search(text[end:end + 40]):
        return True
    return SECTION_LANGUAGE.get(section) == word or any(
        tag in tags for tag in wanted)


def silver(record, text):
    """[(start, end, kind)] of the silver labels in a package's text."""
    tags = set(re.split(r",\s*", record.get("tag", "")))
    spans = []
    for match in PATTERN.finditer(text):
        word = match.group()
        if word in NAMES:
            spans.append((*match.span(), NAMES[word]))
        elif decided(word, text, *match.span(), tags,
                     record.get("section", "").split("/")[-1]):
            spans.append((*match.span(), DEBTAG[word][0]))
    return spans
