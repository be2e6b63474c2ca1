"""Types of entities for the model that reads labels: wordings, a description,
names. A name may be of several types: PNG is a file format and an image format.

Broad types take the names of gazetteer.py by their silver labels, ENUMERATED
ones name theirs, TAGGED ones are the values of a debtags facet, PATTERNED ones
follow a shape. The types of UNSEEN are never asked about in training.
"""

import collections
import re

import gazetteer

BROAD = {  # silver kind: (wordings, description)
    "LANGUAGE": ("programming language|computer language|implemented in"
                 "|language a program is written in",
                 "a language for writing programs"),
    "FORMAT": ("file format|data format|works with format|format",
               "a way to store data in files"),
    "PROTOCOL": ("protocol|network protocol|communication protocol",
                 "rules by which programs or devices talk"),
    "TOOLKIT": ("toolkit|software framework|software library"
                "|user interface toolkit", "a library to build programs with"),
    "LICENCE": ("licence|license|software licence|free software license",
                "terms under which software may be used"),
}
ENUMERATED = {  # wordings: (description, names)
    "image format|picture format|graphics file format":
        ("a file format for pictures",
         "PNG|JPEG|JPG|GIF|TIFF|SVG|BMP|WebP|XPM|PPM|PBM|JPEG 2000|JPEG2000"
         "|OpenEXR|GeoTIFF"),
    "audio format|sound file format|music format":
        ("a file format for sound", "MP3|Ogg|Vorbis|Ogg Vorbis|FLAC|AAC|WAV"
         "|AIFF|MIDI|Opus|Speex|WavPack|Musepack|SoundFont|MOD|AMR"),
    "video format|movie format|film file format":
        ("a file format for films", "MPEG|MPEG-4|MP4|AVI|Matroska|WebM|H.264"
         "|Theora|FLV|3GP|SWF"),
    "archive format|compressed file format":
        ("a file format for packed files",
         "ZIP|gzip|bzip2|xz|LZMA|tar|CPIO|RAR|7z|ISO 9660"),
    "document format|text document format":
        ("a file format for documents", "PDF|PostScript|DocBook|LaTeX|TeX|RTF"
         "|ODF|OpenDocument|EPUB|DVI|MS Word|DOCX|ODT|CHM|Texinfo|man pages"),
    "font format": ("a file format for type faces",
                    "TrueType|OpenType|Type 1|WOFF|BDF|PCF"),
    "markup language|markup": ("a language that marks parts of a text",
                               "XML|HTML|HTML5|XHTML|SGML|Markdown|YAML|LaTeX"
                               "|reStructuredText|AsciiDoc|DocBook|MusicXML"),
    "character encoding|text encoding": ("numbers for characters",
                                         "UTF-8|Unicode|ASCII|ISO-8859-1"),
    "map data format|geographic format":
        ("a file format for maps",
         "shapefile|KML|GPX|GML|GeoTIFF|GeoJSON|NetCDF|GRIB"),
    "bioinformatics format|sequence file format":
        ("a file format of biology",
         "FASTA|FASTQ|SAM|BAM|VCF|BED|GFF|PDB|CIF|GenBank"),
    "mail protocol|email protocol|e-mail protocol":
        ("a protocol that carries mail",
         "SMTP|ESMTP|LMTP|IMAP|IMAP4|POP3|POP"),
    "chat protocol|instant messaging protocol":
        ("a protocol for conversations", "IRC|XMPP|Jabber|ICQ|AIM|MSN|OSCAR"
         "|Gadu-Gadu|Matrix|SIP"),
    "file transfer protocol|transfer protocol":
        ("a protocol that carries files", "FTP|FTPS|SFTP|TFTP|SCP|rsync"),
    "web protocol": ("a protocol of web pages",
                     "HTTP|HTTPS|HTTP/2|WebSocket|WebSockets|WebDAV"),
    "routing protocol": ("a protocol of routers", "BGP|OSPF|RIP|IS-IS|MPLS"),
    "security protocol|encryption protocol":
        ("a protocol that keeps secrets", "SSL|TLS|DTLS|SSH|IPsec|IKE|IKEv2"
         "|Kerberos|OpenVPN|WireGuard|S/MIME|OpenPGP"),
    "login protocol|authentication protocol":
        ("a protocol that proves who someone is", "Kerberos|LDAP|RADIUS|SAML"
         "|OAuth|OAuth2|OpenID|OpenID Connect|SASL|GSSAPI|TACACS+"),
    "hardware bus|bus": ("a way to attach devices",
                         "I2C|SPI|USB|IEEE 1394|CAN|Modbus|Bluetooth|PCI"),
    "network file system|file sharing protocol":
        ("a protocol for files of other computers",
         "NFS|SMB|CIFS|AFP|iSCSI|NBD|BitTorrent|Gnutella|eDonkey"),
    "GUI toolkit|graphical toolkit|widget library":
        ("a library for windows and buttons", "GTK|GTK+|GTK2|GTK3|GTK4|GTK+ 2"
         "|GTK+ 3|Qt|Qt4|Qt5|Qt6|Qt 4|Qt 5|PyQt|PyQt5|PySide|PyGTK|wxWidgets"
         "|wxPython|Tk|Tcl/Tk|Tkinter|Motif|Lesstif|FLTK|FOX|Swing|Gtkmm"),
    "web framework|web application framework":
        ("a framework for web sites", "Django|Flask|Rails|Ruby on Rails"
         "|Sinatra|Tornado|Zope|Plone|Pyramid|Symfony|Zend Framework|Laravel"
         "|Catalyst|Mojolicious|Dancer|Express"),
    "graphics library|3D library": ("a library that draws",
         "OpenGL|Vulkan|SDL|SDL2|SDL 2|Cairo|Clutter|GLUT|GLFW|SFML|Ogre|VTK"
         "|OpenSceneGraph|Irrlicht|OpenCV"),
    "sound system|audio system": ("software that plays sound",
         "ALSA|JACK|PulseAudio|OpenAL|LV2|LADSPA|DSSI|GStreamer|PipeWire"),
    "JavaScript library|browser library": ("a library for web browsers",
         "jQuery|AngularJS|React|Vue.js|Node.js|Backbone.js|Bootstrap|Dojo"),
    "scientific library|numerical library": ("a library for science",
         "NumPy|SciPy|pandas|Matplotlib|PyTorch|TensorFlow|Keras|Eigen|BLAS"
         "|LAPACK|FFTW|GSL"),
    "functional language|functional programming language":
        ("a programming language of functions", "Haskell|OCaml|Lisp|Clojure"
         "|Common Lisp|Erlang|Standard ML|Idris|Agda|Elm|Scheme|Emacs Lisp"),
    "scripting language|script language":
        ("a programming language for scripts",
         "Python|Perl|Ruby|Tcl|Lua|PHP|Bash|AWK|JavaScript|Python 3|Perl 5"),
    "query language": ("a language that asks for data",
                       "SQL|SPARQL|XQuery|XPath|PL/pgSQL"),
    "hardware language": ("a language that describes circuits",
                          "Verilog|VHDL|SystemVerilog"),
    "operating system|OS": ("the basic software of a computer",
        "Linux|GNU/Linux|Windows|macOS|Mac OS X|MacOS|FreeBSD|OpenBSD|NetBSD"
        "|Solaris|Android|Unix|UNIX|MS-DOS|DOS|Hurd|iOS|OS/2|BeOS"),
    "Linux distribution|distribution": ("a collection of Linux software",
        "Debian|Ubuntu|Fedora|Red Hat|SUSE|Gentoo|CentOS|Slackware"),
    "desktop environment|desktop": ("a graphical desktop", "GNOME|KDE|Xfce"
        "|LXDE|MATE|Cinnamon|LXQt|Unity|Plasma|Budgie|Enlightenment"),
    "database|database system|database server":
        ("software that stores tables", "MySQL|PostgreSQL|SQLite|MariaDB"
         "|MongoDB|Redis|Berkeley DB|Firebird|Cassandra|CouchDB|SQLite3"),
    "text editor|editor": ("a program to edit text",
                           "Emacs|Vim|vi|XEmacs|gedit|nano|Kate|GNU Emacs"),
    "web browser|browser": ("a program to read web pages", "Firefox|Chromium"
        "|Mozilla|Konqueror|Chrome|Opera|Lynx|Safari|Netscape|Iceweasel"),
    "web server|HTTP server": ("a program that serves web pages",
                               "Apache|nginx|lighttpd|Nginx|Tomcat|Jetty"),
    "compiler": ("a program that translates programs",
                 "GCC|LLVM|Clang|gcc|clang|gfortran"),
    "version control system|revision control":
        ("a program that keeps the history of files", "Git|CVS|Subversion"
         "|Mercurial|Bazaar|SVN|darcs|RCS|git|svn"),
    "cipher|cryptographic algorithm|encryption algorithm":
        ("a way to encrypt or sign", "AES|DES|3DES|Blowfish|Twofish|RSA|DSA"
         "|SHA-1|SHA1|MD5|SHA-256|SHA256|SHA-2|HMAC|Curve25519|ChaCha20"),
    "processor|processor architecture|CPU": ("a kind of processor",
        "x86|i386|amd64|x86-64|x86_64|ARM|PowerPC|MIPS|SPARC|AVR|RISC-V|Z80"),
    "company|organisation|vendor": ("a firm or a group", "Google|Microsoft|IBM"
        "|Apple|Sun|Intel|Nokia|Sony|AMD|NVIDIA|Amazon|Facebook|Adobe|HP|GNU"
        "|Yahoo|Cisco|Canonical|Novell|Yamaha|Canon|Epson|Samsung|Logitech"),
    "game console|home computer": ("a machine for games", "PlayStation"
        "|Game Boy|Sega|Commodore 64|Atari|Amiga|NES|SNES|Nintendo|C64"
        "|Game Boy Advance|Super Nintendo|ZX Spectrum|MSX"),
    "web site|online service|website": ("a service on the internet",
        "Twitter|Flickr|YouTube|Wikipedia|GitHub|CPAN|PyPI|SourceForge"
        "|Gmail|Last.fm|OpenStreetMap|Dropbox"),
    "country": ("a state of the world", "Germany|France|Japan|China|Italy"
        "|Spain|Russia|Brazil|Canada|Switzerland|Austria|India|Sweden"
        "|United States|USA|Netherlands|Poland|Australia"),
    "board game|game": ("a game for a table", "chess|Chess|Sudoku|Othello"
        "|Reversi|backgammon|Backgammon|checkers|mahjong|Mahjongg|Scrabble"
        "|Tetris|solitaire|poker|bridge"),
    "month": ("a part of the year", "January|February|April|June|July"
        "|August|September|October|November|December"),
}
TAGGED = {  # debtags facet: (wordings, description)
    "culture": ("human language|natural language|spoken language|culture",
                "a language that people speak"),
    "field": ("field of science|science|subject", "what scholars study"),
    "hardware": ("hardware|device|hardware device", "a machine or a part"),
    "game": ("kind of game|game genre", "how a game is played"),
}
PATTERNED = {  # wordings: (description, pattern whose first group is it)
    "version number|version|release":
        ("which edition of a program", r"\b(\d{1,2}\.\d{1,3}(?:\.\d{1,3})?)\b"),
    "year|date": ("when something happened", r"\b((?:19[5-9]|20[0-3])\d)\b"),
    "person|author|name of a person":
        ("somebody", r"\b(?:by|author|from) ([A-Z][a-z]+(?: [A-Z]\.)?"
                     r" [A-Z][a-z]{2,}(?!\w))"),
    "standard|RFC": ("a published rule", r"\b(RFC ?\d{3,4})\b"),
}
OWN_NAME = ("program|software|package name|name of the program",
            "the software that the text is about")
UNSEEN = ("image format", "mail protocol", "web framework",
          "scripting language", "database", "game console")
MIN_TAGGED = 8  # packages of a debtags value


class Type:
    def __init__(self, wordings, description):
        self.wordings = wordings.split("|")
        self.name, self.description = self.wordings[0], description
        self.unseen = self.name in UNSEEN


def tagged_names(records, facet):
    """The words of a facet's values: culture::german is "german"."""
    counts = collections.Counter()
    for record in records:
        for tag in re.split(r",\s*", record.get("tag", "")):
            head, _, value = tag.partition("::")
            if head == facet and value != "TODO":
                counts[value.split(":")[-1].replace("-", " ")] += 1
    return sorted(v for v, n in counts.items() if n >= MIN_TAGGED)


class Labeller:
    """Finds the spans of every type in a package's description."""

    def __init__(self, records):
        self.kinds = {k: Type(*v) for k, v in BROAD.items()}
        self.by_name = collections.defaultdict(list)
        self.patterns = []
        self.own = Type(*OWN_NAME)
        self.types = [*self.kinds.values(), self.own]
        for wordings, (description, names) in ENUMERATED.items():
            kind = Type(wordings, description)
            self.types.append(kind)
            for name in names.split("|"):
                self.by_name[name].append(kind)
        self.pattern = gazetteer.pattern(list(self.by_name))
        for wordings, (description, pattern) in PATTERNED.items():
            kind = Type(wordings, description)
            self.types.append(kind)
            self.patterns.append((re.compile(pattern), kind))
        for facet, about in TAGGED.items():
            kind = Type(*about)
            self.types.append(kind)
            words = "|".join(map(re.escape, tagged_names(records, facet)))
            self.patterns.append(
                (re.compile(rf"(?i)(?<![\w-])({words})(?![\w-])"), kind))

    def spans(self, record, text):
        """{(start, end): types}; of names inside one another the longest."""
        found = collections.defaultdict(set)
        silver = {(a, b): kind for a, b, kind in
                  gazetteer.silver(record, text)}
        for place, kind in silver.items():
            found[place].add(self.kinds[kind])
        for match in self.pattern.finditer(text):
            word = match.group()
            if word not in gazetteer.DEBTAG or match.span() in silver:
                found[match.span()].update(self.by_name[word])
        for pattern, kind in self.patterns:
            for match in pattern.finditer(text):
                found[match.span(1)].add(kind)
        own = re.escape(record["package"])
        for match in re.finditer(rf"(?i)(?<![\w-]){own}(?![\w-])", text):
            found[match.span()].add(self.own)
        return {place: kinds for place, kinds in found.items()
                if not any(a <= place[0] and place[1] <= b and place != (a, b)
                           for a, b in found)}
