using System.Globalization;
using System.Text;

namespace Handbook.Templates.Filters;

/// <summary>C's <c>strftime</c> in the C locale, for a time without a zone.</summary>
internal static class Strftime
{
    public static string Format(string format, DateTime time)
    {
        var result = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                result.Append(format[i]);
                continue;
            }
            var code = format[++i];
            // glibc: '-' drops the padding of a number.
            if (code == '-' && i + 1 < format.Length)
                result.Append(One(format[++i], time) is { } padded ? Unpadded(padded) : "%-" + format[i]);
            else
                result.Append(One(code, time) ?? "%" + code);
        }
        return result.ToString();
    }

    private static string Unpadded(string text) =>
        text.Length > 1 && text.TrimStart('0', ' ') is var bare && text.All(unit => char.IsAsciiDigit(unit) || unit == ' ')
            ? bare.Length == 0 ? "0" : bare : text;

    private static string? One(char code, DateTime time)
    {
        return code switch
        {
            'a' => Net("ddd"), 'A' => Net("dddd"), 'b' or 'h' => Net("MMM"), 'B' => Net("MMMM"),
            'c' => Net("ddd MMM ") + time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2) + Net(" HH:mm:ss yyyy"),
            'C' => (time.Year / 100).ToString("00", CultureInfo.InvariantCulture),
            'd' => Net("dd"), 'D' or 'x' => Net("MM'/'dd'/'yy"), 'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
            'f' => Net("ffffff"), 'F' =>
                Net("yyyy-MM-dd"), 'g' => (ISOWeek.GetYear(time) % 100).ToString("00", CultureInfo.InvariantCulture),
            'G' => ISOWeek.GetYear(time).ToString(CultureInfo.InvariantCulture), 'H' => Net("HH"), 'I' => Net("hh"),
            'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture), 'k' =>
                time.Hour.ToString(CultureInfo.InvariantCulture).PadLeft(2),
            'l' => (((time.Hour + 11) % 12) + 1).ToString(CultureInfo.InvariantCulture).PadLeft(2), 'm' => Net("MM"), 'M' => Net("mm"),
            'n' => "\n", 'p' => time.Hour < 12 ? "AM" : "PM", 'P' => time.Hour < 12 ? "am" : "pm",
            'r' => Net("hh:mm:ss ") + (time.Hour < 12 ? "AM" : "PM"), 'R' => Net("HH:mm"), 'S' => Net("ss"),
            's' => ((time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerSecond).ToString(CultureInfo.InvariantCulture),
            't' => "\t", 'T' or 'X' => Net("HH:mm:ss"), 'u' => (((int)time.DayOfWeek + 6) % 7 + 1).ToString(CultureInfo.InvariantCulture),
            'U' => Week((int)time.DayOfWeek), 'V' => ISOWeek.GetWeekOfYear(time).ToString("00", CultureInfo.InvariantCulture),
            'w' => ((int)time.DayOfWeek).ToString(CultureInfo.InvariantCulture), 'W' => Week(((int)time.DayOfWeek + 6) % 7),
            'y' => Net("yy"), 'Y' => time.Year.ToString(CultureInfo.InvariantCulture), 'z' or 'Z' => "", '%' => "%",
            _ => null,
        };

        string Net(string net) => time.ToString(net, CultureInfo.InvariantCulture);

        string Week(int dayOfWeek) => ((time.DayOfYear + 6 - dayOfWeek) / 7).ToString("00", CultureInfo.InvariantCulture);
    }
}
